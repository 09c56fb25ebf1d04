package slack_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers/handlertest"
	"keepwatch/handlers/slack"
	"keepwatch/handlers/slack/slacktest"
)

// TestContract: Slack passes the contract of the front-ends, by Socket Mode and
// over signed HTTP alike.
func TestContract(t *testing.T) {
	for _, socket := range []bool{true, false} {
		t.Run(map[bool]string{true: "socket", false: "http"}[socket], func(t *testing.T) {
			handlertest.Run(t, func(t *testing.T) (handlertest.Stage, *handlertest.World) { return newWorkspace(t, socket) })
		})
	}
}

// workspace is a stage in a fake Slack.
type workspace struct {
	*slacktest.Server
	users map[string]string

	mu   sync.Mutex
	last map[string]*slacktest.Delivery
}

func newWorkspace(t *testing.T, socket bool) (*workspace, *handlertest.World) {
	t.Helper()
	srv := slacktest.New(t, slacktest.Config{Rates: slacktest.Rates{Mode: slacktest.RatesOff}})
	s := &workspace{Server: srv, last: map[string]*slacktest.Delivery{}, users: map[string]string{
		handlertest.Admin: slacktest.Alis, handlertest.Operator: slacktest.Bram, handlertest.Viewer: "U0CARYS01", handlertest.Stranger: "U0MALLOR1",
	}}
	for _, who := range []string{handlertest.Viewer, handlertest.Stranger} {
		srv.AddUser(slacktest.User{ID: s.users[who], Name: strings.ToLower(who)})
	}
	w := handlertest.NewWorld(t, "slack", s.users)
	cfg := slack.Config{BotToken: keepwatch.NewSecret(slacktest.BotToken), APIURL: srv.APIURL(), Counter: w.Counter(), Apart: time.Millisecond}
	if socket {
		cfg.AppToken = keepwatch.NewSecret(slacktest.AppToken)
	} else {
		cfg.SigningSecret = keepwatch.NewSecret(slacktest.SigningSecret)
	}
	front, err := slack.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if !socket {
		web := httptest.NewServer(front.Handler())
		t.Cleanup(web.Close)
		srv.UseHTTP(web.URL)
	}
	w.Connect(t, front)
	if socket {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := srv.WaitSockets(ctx, 2); err != nil {
			t.Fatal(err)
		}
	}
	return s, w
}

// sent remembers a delivery and waits until it is acknowledged.
func (s *workspace) sent(ctx context.Context, who string, d *slacktest.Delivery) error {
	s.mu.Lock()
	s.last[who] = d
	s.mu.Unlock()
	return d.Wait(ctx)
}

func (s *workspace) Say(ctx context.Context, who, text string) error {
	group, rest, _ := strings.Cut(text, " ")
	return s.sent(ctx, who, s.Command(s.users[who], slacktest.Ops, "/"+group, rest))
}

func (s *workspace) Mention(ctx context.Context, who, text string) error {
	return s.sent(ctx, who, s.Server.Mention(s.users[who], slacktest.Ops, text))
}

func (s *workspace) Direct(ctx context.Context, who, text string) error {
	return s.sent(ctx, who, s.DM(s.users[who], text))
}

func (s *workspace) Press(ctx context.Context, who string, on handlertest.Seen, label string) error {
	m, ok := s.find(who, on.ID)
	if !ok {
		return fmt.Errorf("the message %s is gone", on.ID)
	}
	if slices.Contains(on.Buttons, label) {
		return s.sent(ctx, who, s.Click(s.users[who], m, label))
	}
	return s.sent(ctx, who, s.Select(s.users[who], m, "", label))
}

func (s *workspace) Submit(ctx context.Context, who string, values map[string]string) error {
	if _, err := s.WaitView(ctx, s.users[who], func(slacktest.View) bool { return true }); err != nil {
		return err
	}
	filled := map[string]any{}
	for label, v := range values {
		filled[label] = v
	}
	return s.sent(ctx, who, s.Server.Submit(s.users[who], filled))
}

func (s *workspace) Double(context.Context) error { return errors.ErrUnsupported }

func (s *workspace) Again(ctx context.Context, who string) error {
	s.mu.Lock()
	d := s.last[who]
	s.mu.Unlock()
	before := len(d.Attempts())
	d.Redeliver()
	return s.Wait(ctx, func() bool { return len(d.Attempts()) > before })
}

// visible gives what a person sees, oldest first.
func (s *workspace) visible(who string) []slacktest.Message {
	user := s.users[who]
	all := slices.Concat(s.Messages(slacktest.Ops), s.Ephemerals(user, slacktest.Ops), s.Messages(slacktest.DirectID(user)))
	slices.SortStableFunc(all, func(a, b slacktest.Message) int { return a.Posted.Compare(b.Posted) })
	return slices.DeleteFunc(all, func(m slacktest.Message) bool { return m.User != slacktest.BotUser })
}

func (s *workspace) find(who, ts string) (slacktest.Message, bool) {
	all := s.visible(who)
	i := slices.IndexFunc(all, func(m slacktest.Message) bool { return m.TS == ts })
	if i < 0 {
		return slacktest.Message{}, false
	}
	return all[i], true
}

func (s *workspace) See(ctx context.Context, who string, fits func(handlertest.Seen) bool) (seen handlertest.Seen, err error) {
	err = s.Wait(ctx, func() bool {
		for _, m := range slices.Backward(s.visible(who)) {
			one := handlertest.Seen{Text: m.Plain(), Private: m.Ephemeral, ID: m.TS}
			for _, b := range m.Buttons() {
				one.Buttons = append(one.Buttons, b.Label)
			}
			for _, id := range m.Images() {
				if f, there := s.Uploaded(id); there {
					one.Pictures = append(one.Pictures, f.Comment)
				}
			}
			for _, c := range slacktest.Choices(m.Blocks) {
				one.Choices = append(one.Choices, c.Label)
			}
			if fits(one) {
				seen = one
				return true
			}
		}
		return false
	})
	return seen, err
}

func (s *workspace) Pings() []string {
	var out []string
	for who := range s.users {
		for _, m := range s.visible(who) {
			out = append(out, m.Pings()...)
		}
	}
	return out
}

func (s *workspace) Violations() []string {
	out := s.SchemaViolations()
	for _, v := range s.Server.Violations() {
		out = append(out, fmt.Sprintf("%+v", v))
	}
	return out
}
