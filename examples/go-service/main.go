// A shop that keeps carts in Redis and hands orders to a worker by Asynq, and stays on its feet while
// Redis stands still: short time-outs, a circuit breaker, a health endpoint that says what is true.
//
// With -defaults it is the same shop as most are written: go-redis' own time-outs, no breaker, and a
// health endpoint that does not look at Redis.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"github.com/sony/gobreaker/v2"
)

const (
	// A call that takes longer than this is no use to whoever waits for the page.
	callTimeout = time.Second
	// How often Redis is asked whether it is there; also what closes the breaker again.
	pingInterval = 500 * time.Millisecond
	// Failures in a row after which nobody is made to wait any more, and for how long.
	failuresToOpen = 3
	openFor        = 2 * time.Second
)

func options(addr string) *redis.Options {
	return &redis.Options{
		Addr:         addr,
		DialTimeout:  callTimeout,
		ReadTimeout:  callTimeout,
		WriteTimeout: callTimeout,
		PoolTimeout:  callTimeout,
		// Each retry waits for the whole time-out again, and a frozen Redis answers none of them.
		MaxRetries: -1,
		// Without it the deadline of a request does not reach the socket.
		ContextTimeoutEnabled: true,
	}
}

type shop struct {
	rdb     *redis.Client
	queue   *asynq.Client
	breaker *gobreaker.CircuitBreaker[any]
	// Unix nanoseconds of the last answer of Redis.
	lastAnswer atomic.Int64
}

// guarded runs a call to Redis through the breaker and under a deadline.
func (s *shop) guarded(ctx context.Context, call func(context.Context) (any, error)) (any, error) {
	if s.breaker == nil {
		return call(ctx)
	}
	return s.breaker.Execute(func() (any, error) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		return call(ctx)
	})
}

// watch asks Redis again and again, so that health and breaker know of a freeze before a customer does.
func (s *shop) watch(ctx context.Context) {
	for ticker := time.NewTicker(pingInterval); ; {
		_, err := s.guarded(ctx, func(ctx context.Context) (any, error) {
			return nil, s.rdb.Ping(ctx).Err()
		})
		if err == nil {
			s.lastAnswer.Store(time.Now().UnixNano())
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// health answers from memory: a check that waits for Redis piles up beside it.
func (s *shop) health(w http.ResponseWriter, _ *http.Request) {
	if s.breaker == nil {
		w.WriteHeader(http.StatusOK)
		return
	}
	silent := time.Since(time.Unix(0, s.lastAnswer.Load()))
	if silent > callTimeout+pingInterval || s.breaker.State() == gobreaker.StateOpen {
		http.Error(w, "Redis does not answer", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (s *shop) cart(w http.ResponseWriter, r *http.Request) {
	items, err := s.guarded(r.Context(), func(ctx context.Context) (any, error) {
		items, err := s.rdb.Get(ctx, "cart:"+r.PathValue("id")).Result()
		// An empty cart is an answer, and none that the breaker should count.
		if errors.Is(err, redis.Nil) {
			return "[]", nil
		}
		return items, err
	})
	if err != nil {
		unavailable(w, err)
		return
	}
	_ = json.NewEncoder(w).Encode(items)
}

func (s *shop) order(w http.ResponseWriter, r *http.Request) {
	task := asynq.NewTask("order:send", []byte(`{}`), asynq.MaxRetry(5))
	info, err := s.guarded(r.Context(), func(ctx context.Context) (any, error) {
		return s.queue.EnqueueContext(ctx, task)
	})
	if err != nil {
		// Here a real shop writes the order into an outbox table of its database.
		unavailable(w, err)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(info.(*asynq.TaskInfo).ID)
}

func unavailable(w http.ResponseWriter, err error) {
	w.Header().Set("Retry-After", "5")
	http.Error(w, err.Error(), http.StatusServiceUnavailable)
}

func worker(rdb *redis.Client) *asynq.Server {
	return asynq.NewServerFromRedisClient(rdb, asynq.Config{
		Concurrency: 2,
		LogLevel:    asynq.ErrorLevel,
		HealthCheckFunc: func(err error) {
			if err != nil {
				log.Printf("worker: Redis does not answer: %v", err)
			}
		},
	})
}

func main() {
	addr := flag.String("redis", "127.0.0.1:6379", "address of Redis")
	listen := flag.String("listen", "127.0.0.1:8080", "address to serve on")
	defaults := flag.Bool("defaults", false, "as most services are: no time-outs, no breaker")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	s := &shop{}
	if *defaults {
		s.rdb = redis.NewClient(&redis.Options{Addr: *addr})
	} else {
		s.rdb = redis.NewClient(options(*addr))
		s.breaker = gobreaker.NewCircuitBreaker[any](gobreaker.Settings{
			Name:        "redis",
			Timeout:     openFor,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= failuresToOpen },
			// Whoever closes the page says nothing about Redis; and where a key is of another type, Redis has answered.
			IsSuccessful: func(err error) bool {
				return err == nil || errors.Is(err, context.Canceled) || redis.HasErrorPrefix(err, "WRONGTYPE")
			},
		})
		go s.watch(ctx)
	}
	// The same client for both: asynq's own options know no ContextTimeoutEnabled and no MaxRetries.
	s.queue = asynq.NewClientFromRedisClient(s.rdb)

	tasks := asynq.NewServeMux()
	tasks.HandleFunc("order:send", func(context.Context, *asynq.Task) error { return nil })
	work := worker(s.rdb)
	if err := work.Start(tasks); err != nil {
		log.Fatal(err)
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", s.health)
	mux.HandleFunc("GET /cart/{id}", s.cart)
	mux.HandleFunc("POST /orders", s.order)
	server := &http.Server{Addr: *listen, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Shutdown(context.WithoutCancel(ctx))
	}()
	log.Printf("listening on %s", *listen)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}
