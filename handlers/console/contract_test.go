package console

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"keepwatch"
	"keepwatch/handlers/handlertest"
)

// TestContract: the terminal chat passes the contract of the front-ends. Each
// person sits at a terminal of their own.
func TestContract(t *testing.T) {
	handlertest.Run(t, func(t *testing.T) (handlertest.Stage, *handlertest.World) {
		accounts := map[string]string{handlertest.Admin: "alis", handlertest.Operator: "bob", handlertest.Viewer: "carys", handlertest.Stranger: "mallory"}
		w := handlertest.NewWorld(t, "terminal", accounts)
		s := &terminals{desks: map[string]*seat{}}
		for who, id := range accounts {
			d := openWith(t, 250, Config{Chat: w.Router, Follower: w, Account: keepwatch.Account{Platform: "terminal", ID: id}})
			s.desks[who] = &seat{desk: d}
			t.Cleanup(func() { d.keys("\x04"); d.end() })
		}
		return s, w
	})
}

// terminals is a stage of pseudo-terminals.
type terminals struct{ desks map[string]*seat }

// seat is a person at a terminal.
type seat struct {
	*desk
	typing sync.Mutex
}

var (
	ansiCodes = regexp.MustCompile(`\x1b\[[0-9;?]*[a-zA-Z]`)
	titles    = regexp.MustCompile(`(?m)^.*▌ [•✓!✗] `)
	labels    = regexp.MustCompile(`\[(\d+)\] ([^\[\n]+)`)
)

// cards gives the cards on a terminal, oldest first.
func (s *seat) cards() []handlertest.Seen {
	s.mu.Lock()
	text := ansiCodes.ReplaceAllString(strings.ReplaceAll(s.out.String(), "\r", "\n"), "")
	s.mu.Unlock()
	var out []handlertest.Seen
	at := titles.FindAllStringIndex(text, -1)
	for i, from := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		seen := handlertest.Seen{Text: strings.ReplaceAll(text[from[0]:end], "▌ ", "")}
		for _, m := range labels.FindAllStringSubmatch(seen.Text, -1) {
			seen.Buttons = append(seen.Buttons, strings.TrimSpace(m[2]))
		}
		out = append(out, seen)
	}
	return out
}

// until waits for something to be written for which ok holds.
func (s *seat) until(ctx context.Context, ok func() bool) error {
	for !ok() {
		select {
		case <-s.more:
		case <-ctx.Done():
			return fmt.Errorf("%w; there is %v", ctx.Err(), s.cards())
		}
	}
	return nil
}

// enter types a line and waits for the card that answers it.
func (s *seat) enter(ctx context.Context, line string) error {
	s.typing.Lock()
	defer s.typing.Unlock()
	before := len(s.cards())
	s.keys(line + "\r")
	return s.until(ctx, func() bool { return len(s.cards()) > before })
}

func (t *terminals) Say(ctx context.Context, who, text string) error {
	return t.desks[who].enter(ctx, "/"+text)
}

func (t *terminals) Mention(ctx context.Context, who, text string) error {
	return t.desks[who].enter(ctx, text)
}

func (t *terminals) Direct(ctx context.Context, who, text string) error {
	return t.Mention(ctx, who, text)
}

// Press presses a button of the newest card, which is the only one that can be
// pressed here.
func (t *terminals) Press(ctx context.Context, who string, on handlertest.Seen, label string) error {
	at := slices.Index(on.Buttons, label)
	if at < 0 {
		return fmt.Errorf("there is no button %q on %q", label, on.Text)
	}
	return t.desks[who].enter(ctx, fmt.Sprint(at+1))
}

func (t *terminals) Submit(context.Context, string, map[string]string) error {
	return errors.ErrUnsupported // the terminal has no forms: commands make sense without
}

func (t *terminals) Double(context.Context) error { return errors.ErrUnsupported }

func (t *terminals) Again(context.Context, string) error {
	return errors.ErrUnsupported // nobody delivers a line twice
}

func (t *terminals) See(ctx context.Context, who string, fits func(handlertest.Seen) bool) (seen handlertest.Seen, err error) {
	s := t.desks[who]
	err = s.until(ctx, func() bool {
		for _, c := range slices.Backward(s.cards()) {
			if fits(c) {
				seen = c
				return true
			}
		}
		return false
	})
	return seen, err
}

func (t *terminals) Pings() []string { return nil }

func (t *terminals) Violations() []string { return nil }
