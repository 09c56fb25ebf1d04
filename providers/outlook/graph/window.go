package graph

import "time"

// windowStep is how finely a window is counted. What began within a step leaves the window
// with its end, so that the count is never too low.
const windowStep = time.Second

// window counts what began within a sliding span. A nil one is without limit.
type window struct {
	most  int64
	count []int64 // of each step, by its number modulo the length
	sum   int64
	begin time.Time // of step 0
	step  int64     // the newest
}

func newWindow(most int64, span time.Duration) *window {
	return &window{most: most, count: make([]int64, span/windowStep+1)}
}

// slide moves the window up to now. A clock that was set back does not move it.
func (w *window) slide(now time.Time) {
	if w.begin.IsZero() {
		w.begin = now
	}
	to := int64(now.Sub(w.begin) / windowStep)
	if to-w.step >= int64(len(w.count)) {
		clear(w.count)
		w.sum, w.step = 0, to
		return
	}
	for w.step < to {
		w.step++
		at := w.step % int64(len(w.count))
		w.sum -= w.count[at]
		w.count[at] = 0
	}
}

// wait gives how long n more have to wait. More than the window ever takes wait until it
// is empty.
func (w *window) wait(now time.Time, n int64) time.Duration {
	if w == nil || n <= 0 {
		return 0
	}
	w.slide(now)
	over := min(w.sum, w.sum+n-w.most)
	for i := int64(1); over > 0 && i <= int64(len(w.count)); i++ {
		step := w.step + i // the step whose beginning drops the oldest count
		over -= w.count[step%int64(len(w.count))]
		if over <= 0 {
			return w.begin.Add(time.Duration(step) * windowStep).Sub(now)
		}
	}
	return 0
}

func (w *window) add(now time.Time, n int64) {
	if w == nil || n <= 0 {
		return
	}
	w.slide(now)
	w.count[w.step%int64(len(w.count))] += n
	w.sum += n
}
