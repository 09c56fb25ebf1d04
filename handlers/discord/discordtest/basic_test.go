package discordtest

import (
	"net/http"
	"testing"
)

func TestCommandByGateway(t *testing.T) {
	s := serve(t, Config{})
	alis := s.AddUser("alis")
	register(t, s)
	c, ready := login(t, s, ordinary)
	if ready["session_id"] == "" || ready["resume_gateway_url"] == s.GatewayURL() {
		t.Errorf("READY is %v", ready)
	}
	i, err := s.Command(alis, s.ChannelID(), "backup start", map[string]any{"source": "docs"})
	if err != nil {
		t.Fatal(err)
	}
	d := asObject(c.next(opDispatch, "INTERACTION_CREATE")["d"])
	token, _ := d["token"].(string)
	if got := i.State(); got != Waiting {
		t.Errorf("before the answer it is %s", got)
	}
	if a := call(t, s, http.MethodPost, "/interactions/"+i.ID+"/"+token+"/callback", object{"type": 5}); a.status != http.StatusNoContent {
		t.Fatalf("defer: %d %s", a.status, a.raw)
	}
	if got := i.State(); got != Thinking {
		t.Errorf("deferred it is %s", got)
	}
	a := call(t, s, http.MethodPatch, "/webhooks/"+s.ApplicationID()+"/"+token+"/messages/@original", object{"content": "Started."})
	if a.status != http.StatusOK {
		t.Fatalf("edit: %d %s", a.status, a.raw)
	}
	m, err := i.WaitReply(within(t))
	if err != nil || m.Text() != "Started." {
		t.Errorf("the reply is %q, %v", m, err)
	}
}
