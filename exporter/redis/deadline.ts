/**
 * A deadline that does not blame the other side for our own standstill. When this process or the
 * whole machine stood still, a timer expires in the first turn of the event loop afterwards,
 * before the sockets are read: the answer may be lying in the kernel's buffer. So an expired
 * timer waits until the loop has read its sockets once (timers, then poll, then check:
 * https://nodejs.org/en/learn/asynchronous-work/event-loop-timers-and-nexttick).
 */
export function afterAnswers(milliseconds: number, expire: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    immediate = setImmediate(expire);
  }, milliseconds);
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
}
