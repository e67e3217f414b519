// Command asynq-go is a real Asynq for the tests: client, server, scheduler, Inspector and
// Asynq's own Prometheus exporter, in one program. It talks to one Redis on loopback.
//
//	asynq-go run      ADDRESS  enqueue one of everything, serve it, print "ready", run until SIGTERM
//	asynq-go enqueue  ADDRESS QUEUE COUNT
//	asynq-go inspect  ADDRESS  print what the Inspector says of every queue as JSON
//	asynq-go official ADDRESS LISTEN  what tools/metrics_exporter of hibiken/asynq does
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/hibiken/asynq"
	"github.com/hibiken/asynq/x/metrics"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func handle(ctx context.Context, task *asynq.Task) error {
	switch task.Type() {
	case "slow":
		select {
		case <-time.After(time.Hour):
		case <-ctx.Done():
			return ctx.Err()
		}
	case "fail":
		return errors.New("failed on purpose")
	case "skip":
		return fmt.Errorf("not again: %w", asynq.SkipRetry)
	}
	return nil
}

func enqueue(client *asynq.Client, kind string, count int, options ...asynq.Option) {
	for range count {
		_, err := client.Enqueue(asynq.NewTask(kind, []byte("payload")), options...)
		must(err)
	}
}

func run(redis asynq.RedisClientOpt) {
	client := asynq.NewClient(redis)
	defer client.Close()
	enqueue(client, "slow", 2, asynq.Queue("critical"))
	enqueue(client, "ok", 20, asynq.Queue("default"))
	enqueue(client, "ok", 3, asynq.Queue("default"), asynq.Retention(time.Hour))
	enqueue(client, "fail", 4, asynq.Queue("default"))
	enqueue(client, "skip", 2, asynq.Queue("default"))
	enqueue(client, "ok", 3, asynq.Queue("low"), asynq.ProcessIn(time.Hour))
	enqueue(client, "ok", 5, asynq.Queue("unserved {\"*\"}\nqueue"))
	enqueue(client, "ok", 4, asynq.Queue("low"), asynq.Group("group:one"))
	inspector := asynq.NewInspector(redis)
	enqueue(client, "ok", 2, asynq.Queue("paused"))
	must(inspector.PauseQueue("paused"))
	server := asynq.NewServer(redis, asynq.Config{
		Concurrency: 5,
		Queues:      map[string]int{"critical": 6, "default": 3, "low": 1, "paused": 1},
		LogLevel:    asynq.ErrorLevel,
	})
	must(server.Start(asynq.HandlerFunc(handle)))
	scheduler := asynq.NewScheduler(redis, &asynq.SchedulerOpts{
		LogLevel:          asynq.ErrorLevel,
		HeartbeatInterval: time.Second,
	})
	_, err := scheduler.Register("0 3 * * *", asynq.NewTask("nightly", nil), asynq.Queue("low"))
	must(err)
	must(scheduler.Start())
	for {
		info, err := inspector.GetQueueInfo("default")
		must(err)
		if info.Pending == 0 && info.Active == 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	// The first heartbeat that knows of the busy workers.
	time.Sleep(6 * time.Second)
	fmt.Println("ready")
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	scheduler.Shutdown()
	server.Shutdown()
}

func inspect(redis asynq.RedisClientOpt) {
	inspector := asynq.NewInspector(redis)
	names, err := inspector.Queues()
	must(err)
	queues := []*asynq.QueueInfo{}
	for _, name := range names {
		info, err := inspector.GetQueueInfo(name)
		must(err)
		queues = append(queues, info)
	}
	servers, err := inspector.Servers()
	must(err)
	entries, err := inspector.SchedulerEntries()
	must(err)
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"queues": queues, "servers": servers, "entries": len(entries),
	}))
}

func official(redis asynq.RedisClientOpt, listen string) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics.NewQueueMetricsCollector(asynq.NewInspector(redis)))
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	must(http.ListenAndServe(listen, nil))
}

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: asynq-go run|enqueue|inspect|official ADDRESS ...")
	}
	redis := asynq.RedisClientOpt{Addr: os.Args[2], ReadTimeout: time.Minute}
	switch os.Args[1] {
	case "run":
		run(redis)
	case "enqueue":
		count, err := strconv.Atoi(os.Args[4])
		must(err)
		client := asynq.NewClient(redis)
		defer client.Close()
		enqueue(client, "ok", count, asynq.Queue(os.Args[3]))
	case "inspect":
		inspect(redis)
	case "official":
		official(redis, os.Args[3])
	}
}
