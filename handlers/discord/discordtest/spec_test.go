package discordtest

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSpec: the vocabulary finds what is wrong in a request and in an answer, and nothing
// in what is right.
func TestSpec(t *testing.T) {
	d := Spec(t)
	s := New(t, Config{Spec: d})
	path := "/channels/" + s.ChannelID() + "/messages"
	call(t, s, "POST", path, object{"content": "fine", "nonce": "1", "enforce_nonce": true, "allowed_mentions": object{"parse": []any{}}})
	if v := s.Violations(); len(v) != 0 {
		t.Fatalf("what is right breaks it: %v", v)
	}
	call(t, s, "POST", path, object{"content": "fine", "enforce_nonce": "yes"})
	v := s.Violations()
	if len(v) != 1 || !strings.HasPrefix(v[0], "request POST /channels/{channel}/messages") || !strings.Contains(v[0], "enforce_nonce") {
		t.Errorf("a wrong request gives %v", v)
	}
	user := s.meJSON()
	delete(user, "username")
	for _, c := range []struct {
		route string
		out   reply
		want  string
	}{
		{"/users/@me", ok(user), "missing property 'username'"}, {"/users/@me", reply{status: 404, body: object{"message": "x"}}, "code"},
		{"/users/@me", ok(s.meJSON()), ""}, {"/nowhere", ok(object{}), "no such operation"},
		{"/users/@me", tooMany(1, ""), ""}, {"/users/@me", reply{status: 429, body: object{"message": "x", "code": 1}}, "retry_after"},
	} {
		got := strings.Join(d.check("GET", c.route, &request{}, c.out), "\n")
		if c.want == "" && got != "" || c.want != "" && !strings.Contains(got, c.want) {
			t.Errorf("%d of %s gives %q, not %q", c.out.status, c.route, got, c.want)
		}
	}
}

// TestSpecKnowsAllRoutes: no route is left unchecked for want of a name.
func TestSpecKnowsAllRoutes(t *testing.T) {
	d := vocabulary(t)
	for _, route := range []string{
		"GET /users/@me", "GET /gateway", "GET /gateway/bot", "GET /applications/@me", "GET /oauth2/applications/@me", "GET /channels/{channel}",
		"POST /users/@me/channels", "GET /guilds/{guild}", "GET /guilds/{guild}/roles", "GET /guilds/{guild}/members/{user}", "PUT /applications/{app}/commands",
		"PUT /applications/{app}/guilds/{guild}/commands", "POST /channels/{channel}/messages", "PATCH /channels/{channel}/messages/{message}",
		"POST " + callbackRoute, "POST /webhooks/{app}/{token}", "PATCH /webhooks/{app}/{token}/messages/@original", "PATCH /webhooks/{app}/{token}/messages/{message}",
	} {
		method, path, _ := strings.Cut(route, " ")
		at, known := d.response(method, specPath(path), http.StatusOK)
		if !known {
			t.Errorf("%s is not in the document", route)
		} else if _, err := d.schema(at); err != nil {
			t.Errorf("%s: %v", route, err)
		}
	}
}

func TestNodeMissing(t *testing.T) {
	t.Setenv("KEEPWATCH_NODE", filepath.Join(t.TempDir(), "none"))
	if _, _, err := findNode(); err == nil || !strings.Contains(err.Error(), "npm ci --ignore-scripts") {
		t.Errorf("without the packages: %v", err)
	}
}

// TestLockfile: it names no registry, and the packages' versions are exact.
func TestLockfile(t *testing.T) {
	for _, name := range []string{"package.json", "package-lock.json"} {
		data, err := os.ReadFile(filepath.Join("testdata/official", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{`"resolved"`, "regis" + "try.", ".tgz"} {
			if strings.Contains(string(data), bad) {
				t.Errorf("%s has %s", name, bad)
			}
		}
		if name == "package.json" && strings.ContainsAny(string(data), "^~*") {
			t.Errorf("%s has a version that is not exact", name)
		}
	}
}
