package console

import (
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"keepwatch/handlers"
)

// maxHistory is how many lines are remembered.
const maxHistory = 500

// history remembers the lines typed, in a file that only its owner may read. A
// file that cannot be read or written is no reason not to chat.
type history struct {
	path  string   // "": none
	lines []string // oldest first, each once
}

// openHistory reads the file. Where it has grown, or has lines twice, or others
// may read it, it is written anew.
func openHistory(path string) *history {
	h := &history{path: path}
	if path == "" {
		return h
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return h
	}
	n := 0
	for l := range strings.Lines(string(data)) {
		n++
		if l = strings.TrimRight(l, "\r\n"); l != "" && len(l) <= maxLine && utf8.ValidString(l) && plain(l) {
			h.keep(l)
		}
	}
	if info, err := os.Stat(path); err == nil && (n != len(h.lines) || info.Mode().Perm()&0o077 != 0) {
		h.rewrite()
	}
	return h
}

// rewrite replaces the file by a new one, so that a full disk does not lose it.
func (h *history) rewrite() {
	file := h.path + ".new"
	_ = os.Remove(file)
	if err := os.WriteFile(file, []byte(strings.Join(h.lines, "\n")+"\n"), 0o600); err != nil {
		_ = os.Remove(file)
		return
	}
	_ = os.Rename(file, h.path)
}

// keep puts a line at the newest end, once.
func (h *history) keep(line string) {
	if i := slices.Index(h.lines, line); i >= 0 {
		h.lines = slices.Delete(h.lines, i, i+1)
	}
	h.lines = append(h.lines, line)
	if n := len(h.lines); n > maxHistory {
		h.lines = slices.Clone(h.lines[n-maxHistory:])
	}
}

// plain reports whether a line may be kept: it holds nothing that looks like a secret.
func plain(line string) bool { return handlers.Guard(handlers.Table(), line) == line }

// add remembers a line, unless it only presses a button, or may not be kept.
func (h *history) add(line string) {
	if strings.Trim(line, "0123456789") == "" || !plain(line) || (len(h.lines) > 0 && h.lines[len(h.lines)-1] == line) {
		return
	}
	h.keep(line)
	if h.path == "" {
		return
	}
	f, err := os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_, _ = f.WriteString(line + "\n")
	_ = f.Close()
}

// recall goes through the history. What was typed when it began chooses: only
// lines that begin with it come.
type recall struct {
	at    int // from the newest; -1: not in the history
	typed string
}

// step goes one line back, or forth.
func (r *recall) step(h *history, l *line, back bool) {
	if r.at < 0 {
		r.typed = l.text
	}
	step := 1
	if !back {
		step = -1
	}
	for i := r.at + step; i < len(h.lines); i += step {
		if i < 0 {
			if r.at >= 0 {
				r.at = -1
				l.set(r.typed)
			}
			return
		}
		if text := h.lines[len(h.lines)-1-i]; strings.HasPrefix(text, r.typed) && text != l.text {
			r.at = i
			l.set(text)
			return
		}
	}
}
