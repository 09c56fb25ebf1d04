package console

import (
	"bufio"
	"os"
	"strings"
	"sync"
)

// maxHistory is how many lines are remembered.
const maxHistory = 500

// history remembers the lines typed, in a file that only its owner may read. A
// file that cannot be read or written is no reason not to chat.
type history struct {
	mu    sync.Mutex
	path  string
	lines []string // oldest first
}

func openHistory(path string) *history {
	h := &history{path: path}
	f, err := os.Open(path)
	if err != nil {
		return h
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		h.lines = append(h.lines, in.Text())
	}
	if n := len(h.lines); n > maxHistory {
		h.lines = h.lines[n-maxHistory:]
		_ = os.WriteFile(path, []byte(strings.Join(h.lines, "\n")+"\n"), 0o600) // else it grows for ever
	}
	return h
}

// Add remembers a line, unless it is the same as the last one, or only presses a
// button.
func (h *history) Add(line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if strings.TrimSpace(line) == "" || strings.Trim(line, "0123456789 ") == "" || (len(h.lines) > 0 && h.lines[len(h.lines)-1] == line) {
		return
	}
	h.lines = append(h.lines, line)
	f, err := os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_, _ = f.WriteString(line + "\n")
	_ = f.Close()
}

// Len gives how many lines are remembered.
func (h *history) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.lines)
}

// At gives a line; 0 is the newest.
func (h *history) At(i int) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lines[len(h.lines)-1-i]
}
