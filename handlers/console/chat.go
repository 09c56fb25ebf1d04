package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"keepwatch"
	"keepwatch/handlers"
)

// chat is the chat on a terminal.
func (c *Console) chat(ctx context.Context) error {
	in, _ := terminal(c.cfg.In)
	out, _ := terminal(c.cfg.Out)
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return fmt.Errorf("set up the terminal: %w", err)
	}
	defer func() { _ = term.Restore(int(in.Fd()), before) }()
	ctx, cancel := context.WithCancel(ctx)
	s := &session{c: c, ctx: ctx, out: out, runs: map[int64]keepwatch.Progress{}}
	keys := &keyboard{in: in, now: c.cfg.Now, hint: s.hint}
	s.term = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{keys, out}, prompt)
	s.term.AutoCompleteCallback = s.complete
	s.term.SetBracketedPasteMode(true)
	defer s.term.SetBracketedPasteMode(false)
	if c.cfg.History != "" {
		s.term.History = openHistory(c.cfg.History)
	}
	s.resize()
	stop := watchSize(s.resize)
	defer stop()
	defer s.following.Wait()
	defer cancel()
	s.welcome()
	return s.read()
}

// welcome prints the first lines.
func (s *session) welcome() {
	st := s.c.style()
	var lines []string
	for l := range strings.SplitSeq(s.c.cfg.Welcome, "\n") {
		lines = append(lines, st.wrap(clean(l), 0)...)
	}
	s.print(append(lines, ""))
}

const prompt = "› "

// session is one chat.
type session struct {
	c    *Console
	ctx  context.Context
	term *term.Terminal
	out  *os.File

	following sync.WaitGroup
	mu        sync.Mutex
	runs      map[int64]keepwatch.Progress // those under way
	newest    int64
	leaving   bool
}

// read takes in line after line.
func (s *session) read() error {
	lines := make(chan string)
	failed := make(chan error, 1)
	next := make(chan struct{})
	go func() { // it may hang in a read of the terminal; it ends with the program
		for {
			line, err := s.term.ReadLine()
			if err != nil && !errors.Is(err, term.ErrPasteIndicator) {
				failed <- err
				return
			}
			select {
			case lines <- line:
			case <-s.ctx.Done():
				return
			}
			select {
			case <-next:
			case <-s.ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case line := <-lines:
			if quit := s.line(strings.TrimSpace(line)); quit {
				return s.leave()
			}
			next <- struct{}{}
		case err := <-failed:
			if errors.Is(err, io.EOF) {
				return s.leave()
			}
			return fmt.Errorf("read from the terminal: %w", err)
		case <-s.ctx.Done():
			return s.leave()
		}
	}
}

// leave says what goes on.
func (s *session) leave() error {
	s.mu.Lock()
	s.leaving = true
	n := len(s.runs)
	s.mu.Unlock()
	s.term.SetPrompt("")
	if n > 0 {
		s.print([]string{keepwatch.FormatCount(int64(n), "run is", "runs are") + " not over. What is finished stays finished; the rest goes on at the next start."})
	}
	return nil
}

// line carries out one line.
func (s *session) line(text string) (quit bool) {
	if text == "" {
		return false
	}
	command, ok := s.c.press(text)
	if !ok {
		s.show(noButton(text))
		return false
	}
	msg := s.c.cfg.Chat.Handle(s.ctx, s.c.request(command))
	if msg.Quit {
		return true
	}
	s.show(msg)
	if msg.Run > 0 {
		s.follow(msg.Run)
	}
	return false
}

// show prints a card above the prompt.
func (s *session) show(m keepwatch.Message) {
	s.c.mu.Lock()
	s.c.buttons = m.Buttons
	s.c.mu.Unlock()
	shown := m
	shown.Blocks = slices.DeleteFunc(slices.Clone(m.Blocks), func(b keepwatch.Block) bool { return b.Progress != nil }) // it is at the prompt
	s.print(append(s.c.style().render(shown), ""))
}

func (s *session) print(lines []string) {
	_, _ = s.term.Write([]byte(strings.Join(lines, "\n") + "\n"))
}

// follow shows a run's progress at the prompt, and its card when it is settled.
func (s *session) follow(id int64) {
	s.mu.Lock()
	_, already := s.runs[id]
	if !already {
		s.runs[id], s.newest = keepwatch.Progress{}, id
	}
	s.mu.Unlock()
	if already {
		return
	}
	s.following.Add(1)
	go func() {
		defer s.following.Done()
		run, err := s.c.cfg.Follower.Follow(s.ctx, id, func(run keepwatch.Run) {
			s.mu.Lock()
			s.runs[id] = run.Progress
			s.mu.Unlock()
			s.refresh()
		})
		s.mu.Lock()
		leaving := s.leaving || s.ctx.Err() != nil
		if !leaving {
			delete(s.runs, id)
		}
		s.mu.Unlock()
		if leaving {
			return
		}
		s.refresh()
		if err != nil {
			s.c.cfg.Log.Error("a run could not be followed", "run", id, "err", err)
			return
		}
		if run.State != keepwatch.RunCancelled { // whoever cancelled it was told
			s.show(s.c.cfg.Chat.RunMessage(run))
		}
	}()
}

// refresh draws the prompt anew, with the progress of the newest run.
func (s *session) refresh() {
	s.mu.Lock()
	text := prompt
	if !s.leaving && len(s.runs) > 0 {
		p, ok := s.runs[s.newest]
		if !ok {
			for id, other := range s.runs {
				p, s.newest = other, id
			}
		}
		st := s.c.style()
		room := st.width - 14 // for typing
		text = fmt.Sprintf("%d ", s.newest)
		if room > 8 {
			text += st.progress(p, room-len(text)) + " "
		}
		if more := len(s.runs) - 1; more > 0 {
			text += fmt.Sprintf("+%d ", more)
		}
		text += prompt
	}
	s.mu.Unlock()
	s.term.SetPrompt(text)
	_, _ = s.term.Write(nil)
}

func (s *session) resize() {
	if w, h, err := term.GetSize(int(s.out.Fd())); err == nil && w > 0 && h > 0 {
		_ = s.term.SetSize(w, h)
	}
}

// hint answers the first Ctrl-C.
func (s *session) hint() {
	s.print([]string{"Press Ctrl-C once more, or Ctrl-D, to leave. Runs go on at the next start."})
}

// complete is called for every key; the tab completes the word before the
// cursor, as far as all candidates agree, and lists them where they do not.
func (s *session) complete(line string, pos int, key rune) (string, int, bool) {
	if key != '\t' {
		return "", 0, false
	}
	found := s.c.cfg.Chat.Complete(s.ctx, s.c.request(line), pos)
	if len(found) == 0 {
		return line, pos, true
	}
	start := strings.LastIndexByte(line[:pos], ' ') + 1
	common := found[0].Text
	for _, f := range found[1:] {
		for !strings.HasPrefix(f.Text, common) {
			common = common[:len(common)-1]
		}
	}
	common = strings.ToValidUTF8(common, "")
	if len(found) == 1 && found[0].Space {
		common += " "
	}
	if len(found) > 1 && common == line[start:pos] {
		s.list(found)
	}
	return line[:start] + common + line[pos:], start + len(common), true
}

// listed is how many candidates are shown at once.
const listed = 20

func (s *session) list(found []handlers.Candidate) {
	table := keepwatch.Table{Head: []string{"", ""}}
	for _, f := range found[:min(len(found), listed)] {
		table.Rows = append(table.Rows, []string{f.Text, f.Summary})
	}
	st := s.c.style()
	st.bar = false
	lines := st.table(table)[1:]
	if len(found) > listed {
		lines = append(lines, fmt.Sprintf("… and %d more", len(found)-listed))
	}
	s.print(lines)
}

// keyboard reads the terminal's keys. Ctrl-C clears the line; a second one
// within two seconds ends the input.
type keyboard struct {
	in   io.Reader
	now  func() time.Time
	hint func()
	last time.Time
}

const (
	ctrlC = 0x03
	ctrlE = 0x05 // to the end of the line
	ctrlU = 0x15 // remove what is before the cursor
	twice = 2 * time.Second
)

func (k *keyboard) Read(p []byte) (int, error) {
	half := max(len(p)/2, 1) // a Ctrl-C becomes two keys
	n, err := k.in.Read(p[:half])
	at := bytes.IndexByte(p[:n], ctrlC)
	if at < 0 || len(p) < 2 {
		return n, err
	}
	now := k.now()
	if now.Sub(k.last) < twice || bytes.Count(p[:n], []byte{ctrlC}) > 1 {
		return 0, io.EOF
	}
	k.last = now
	go k.hint() // the terminal's lock is not ours to wait for
	out := bytes.ReplaceAll(bytes.Clone(p[:n]), []byte{ctrlC}, []byte{ctrlE, ctrlU})
	return copy(p, out), err
}
