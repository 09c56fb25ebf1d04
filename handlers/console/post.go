package console

import (
	"context"
	"errors"
	"slices"

	"keepwatch"
)

// post is a message that comes by itself, such as a reminder.
type post struct {
	msg   keepwatch.Message
	shown chan struct{} // closed when it stands on the screen
}

// ErrOver says that the chat is over, so that nobody sees a message any more.
var ErrOver = errors.New("console: the chat is over")

// Post shows a message above the prompt of the chat, with its buttons numbered on
// from those that are there, so that a number which somebody is about to type does
// not change what it means. It returns when the message is on the screen; with
// ctx's error where there is no chat until then, and with ErrOver where it is over.
func (c *Console) Post(ctx context.Context, m keepwatch.Message) error {
	p := post{m, make(chan struct{})}
	select {
	case c.posts <- p:
	case <-c.over:
		return ErrOver
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-p.shown:
		return nil
	case <-c.over:
		return ErrOver
	case <-ctx.Done():
		return ctx.Err()
	}
}

// posted shows what came by itself, after the answer that is under way.
func (s *session) posted(p post) {
	if s.busy {
		s.held = append(s.held, func() { s.posted(p) })
		return
	}
	st := s.style()
	st.first = len(s.c.buttons)
	s.c.buttons = slices.Concat(s.c.buttons, numbered(p.msg))
	s.print(append(st.render(p.msg), ""))
	close(p.shown)
}
