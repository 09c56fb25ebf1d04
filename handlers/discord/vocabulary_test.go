package discord

import (
	"context"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers/discord/discordtest"
)

// TestVocabulary posts every sample, as a message and as an edit, to a fake that
// holds it against Discord's published document. Where that is not installed it is
// skipped, and fails in CI; the other tests are held against it too.
func TestVocabulary(t *testing.T) {
	discordtest.Spec(t)
	r := start(t, nil)
	n := 0
	for name, m := range samples() {
		n++
		r.clock.Advance(10 * time.Second)
		out := keepwatch.Outgoing{ID: strings.Repeat(string(rune('a'+n)), keepwatch.MessageID), Channel: "discord:" + r.srv.ChannelID(), Message: m}
		ref, err := r.Post(context.Background(), out)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := r.Edit(context.Background(), keepwatch.Card{Channel: out.Channel, Ref: ref}, m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, _ := r.srv.Message(ref); len(got.Embeds) == 0 && len(m.Blocks) > 0 {
			t.Errorf("%s arrived as plain text", name)
		}
	}
}
