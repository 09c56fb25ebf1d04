package discord

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers"
	"keepwatch/handlers/discord/discordtest"
	"keepwatch/handlers/handlertest"
)

// TestContract: Discord passes the contract of the front-ends, by the gateway and
// over signed HTTP alike.
func TestContract(t *testing.T) {
	for _, gateway := range []bool{true, false} {
		t.Run(map[bool]string{true: "gateway", false: "http"}[gateway], func(t *testing.T) {
			handlertest.Run(t, func(t *testing.T) (handlertest.Stage, *handlertest.World) { return newGuild(t, gateway) })
		})
	}
}

// guild is a stage in a fake Discord.
type guild struct {
	*discordtest.Server
	users   map[string]string
	gateway bool

	mu   sync.Mutex
	last map[string]*discordtest.Interaction
}

func newGuild(t *testing.T, gateway bool) (*guild, *handlertest.World) {
	t.Helper()
	srv := discordtest.New(t, discordtest.Config{NoRateLimits: true, Spec: vocabulary(t)})
	s := &guild{Server: srv, gateway: gateway, users: map[string]string{}, last: map[string]*discordtest.Interaction{}}
	for _, who := range []string{handlertest.Admin, handlertest.Operator, handlertest.Viewer, handlertest.Stranger} {
		s.users[who] = srv.AddUser(strings.ToLower(who))
	}
	w := handlertest.NewWorld(t, "discord", s.users)
	cfg := Config{Token: keepwatch.NewSecret(srv.Token()), GuildID: srv.GuildID(), APIURL: srv.URL(), Counter: w.Counter()}
	if !gateway {
		cfg.PublicKey = srv.PublicKey()
	}
	front, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.Connect(t, front)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := srv.WaitConnected(ctx); err != nil {
		t.Fatal(err)
	}
	if err := srv.Wait(ctx, "the registration of the commands", func() bool { return len(srv.Commands(srv.GuildID())) > 0 }); err != nil {
		t.Fatal(err)
	}
	if !gateway {
		web := httptest.NewServer(front.Handler())
		t.Cleanup(web.Close)
		if err := srv.SetInteractionsURL(ctx, web.URL+Path); err != nil {
			t.Fatal(err)
		}
	}
	return s, w
}

// sent waits until an interaction is acknowledged.
func (s *guild) sent(ctx context.Context, who string, i *discordtest.Interaction, err error) error {
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.last[who] = i
	s.mu.Unlock()
	_, err = i.WaitAcknowledged(ctx)
	return err
}

// Say takes a command apart as Discord does, by the options of the table.
func (s *guild) Say(ctx context.Context, who, text string) error {
	words := strings.Fields(text)
	line, opts := strings.Join(words[:2], " "), map[string]any{}
	for _, c := range handlers.Table() {
		if c.Title() == line && len(words) > 2 && len(c.Options) > 0 {
			opts[c.Options[0].Name] = typed(c.Options[0].Type, strings.Join(words[2:], " "))
		}
	}
	i, err := s.Command(s.users[who], s.ChannelID(), line, opts)
	return s.sent(ctx, who, i, err)
}

// typed gives a value as Discord's own input does: numbers as numbers.
func typed(t handlers.OptionType, text string) any {
	if n, err := strconv.Atoi(text); err == nil && t == handlers.TypeRun {
		return n
	}
	return text
}

func (s *guild) Mention(_ context.Context, who, text string) error {
	_, err := s.Server.Mention(s.users[who], s.ChannelID(), text)
	return err
}

func (s *guild) Direct(_ context.Context, who, text string) error {
	_, err := s.DM(s.users[who], text)
	return err
}

func (s *guild) Press(ctx context.Context, who string, on handlertest.Seen, label string) error {
	if slices.Contains(on.Buttons, label) {
		i, err := s.Click(s.users[who], on.ID, label)
		return s.sent(ctx, who, i, err)
	}
	i, err := s.Select(s.users[who], on.ID, "", label)
	return s.sent(ctx, who, i, err)
}

func (s *guild) Submit(ctx context.Context, who string, values map[string]string) error {
	var modal discordtest.Modal
	err := s.Wait(ctx, "a modal", func() (ok bool) { modal, ok = s.Modal(s.users[who]); return ok })
	if err != nil {
		return err
	}
	i, err := s.SubmitModal(s.users[who], modal, values)
	return s.sent(ctx, who, i, err)
}

func (s *guild) Double(context.Context) error {
	if !s.gateway {
		return errors.ErrUnsupported
	}
	s.DuplicateNext(1)
	return nil
}

func (s *guild) Again(ctx context.Context, who string) error {
	if s.gateway {
		return errors.ErrUnsupported
	}
	s.mu.Lock()
	i := s.last[who]
	s.mu.Unlock()
	_, err := s.Replay(ctx, i)
	return err
}

// visible gives what a person sees, oldest first.
func (s *guild) visible(who string) []discordtest.Message {
	all := slices.Concat(s.Messages(s.ChannelID()), s.Ephemerals(s.users[who], s.ChannelID()), s.Messages(s.DMChannel(s.users[who])))
	slices.SortStableFunc(all, func(a, b discordtest.Message) int {
		return strings.Compare(fmt.Sprintf("%30s", a.ID), fmt.Sprintf("%30s", b.ID))
	})
	return slices.DeleteFunc(all, func(m discordtest.Message) bool { return m.Author != s.BotID() || m.Thinking || m.Deleted })
}

func (s *guild) See(ctx context.Context, who string, fits func(handlertest.Seen) bool) (seen handlertest.Seen, err error) {
	err = s.Wait(ctx, "a message", func() bool {
		for _, m := range slices.Backward(s.visible(who)) {
			one := handlertest.Seen{Text: m.Text(), Private: m.Ephemeral, ID: m.ID, Buttons: m.Labels()}
			for _, f := range m.Pictures() {
				one.Pictures = append(one.Pictures, f.Description)
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

func (s *guild) Pings() []string {
	var out []string
	for who := range s.users {
		for _, m := range s.visible(who) {
			out = append(out, m.Pings...)
		}
	}
	return out
}

func (s *guild) Violations() []string {
	var out []string
	for _, v := range s.Server.Violations() {
		out = append(out, fmt.Sprintf("%+v", v))
	}
	return out
}
