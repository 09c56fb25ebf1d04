package discordtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(stop)
	return ctx
}

// answer is what the fake said to a call.
type answer struct {
	status int
	header http.Header
	raw    string
	body   any
}

func (a answer) object() object { o, _ := a.body.(object); return o }
func (a answer) code() int      { return integer(a.object()["code"]) }
func (a answer) id() string     { id, _ := a.object()["id"].(string); return id }

// call makes a request as the bot.
func call(t *testing.T, s *Server, method, path string, body any) answer {
	t.Helper()
	a, err := tryCall(t, s, method, path, body, "Bot "+s.Token())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func tryCall(t *testing.T, s *Server, method, path string, body any, auth string) (answer, error) {
	t.Helper()
	var raw io.Reader
	if text, is := body.(string); is {
		raw = strings.NewReader(text)
	} else if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		raw = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(within(t), method, s.APIURL(10)+path, raw)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	return do(t, s, req)
}

func do(t *testing.T, s *Server, req *http.Request) (answer, error) {
	t.Helper()
	res, err := s.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: res.StatusCode, header: res.Header, raw: string(data)}
	_ = json.Unmarshal(data, &a.body) // pages are no JSON
	return a, nil
}

// socket is a client of the gateway that does nothing by itself.
type socket struct {
	t  *testing.T
	ws *websocket.Conn
}

func dial(t *testing.T, url string) *socket {
	t.Helper()
	ws, res, err := websocket.DefaultDialer.DialContext(within(t), url+"?v=10&encoding=json", nil)
	if err != nil {
		t.Fatalf("dial %s: %v (%v)", url, err, res)
	}
	t.Cleanup(func() { _ = ws.Close() })
	return &socket{t, ws}
}

func (c *socket) send(v any) {
	c.t.Helper()
	if err := c.ws.WriteJSON(v); err != nil {
		c.t.Fatal(err)
	}
}

func (c *socket) read() (object, error) {
	_ = c.ws.SetReadDeadline(time.Now().Add(30 * time.Second))
	var o object
	err := c.ws.ReadJSON(&o)
	return o, err
}

// next reads a frame and demands its operation, or the name of its event.
func (c *socket) next(op int, event string) object {
	c.t.Helper()
	o, err := c.read()
	if err != nil {
		c.t.Fatalf("waiting for op %d %s: %v", op, event, err)
	}
	if name, _ := o["t"].(string); integer(o["op"]) != op || name != event {
		c.t.Fatalf("op %v %v came, not %d %s: %v", o["op"], o["t"], op, event, o)
	}
	return o
}

// closed demands a close code; 1006 is a cut connection.
func (c *socket) closed(code int) {
	c.t.Helper()
	for {
		_, err := c.read()
		if err == nil {
			continue
		}
		var ce *websocket.CloseError
		if !errors.As(err, &ce) {
			if code != 1006 {
				c.t.Fatalf("the connection ended with %v, not %d", err, code)
			}
			return
		}
		if ce.Code != code {
			c.t.Fatalf("closed with %d, not %d", ce.Code, code)
		}
		return
	}
}

func identify(s *Server, intents int) object {
	return object{"op": opIdentify, "d": object{"token": s.Token(), "intents": intents, "properties": object{"os": "linux"}}}
}

const ordinary = intentGuilds | intentGuildMessages | intentDirectMessages

// login gives a ready connection, after the guild has come, and READY's data.
func login(t *testing.T, s *Server, intents int) (*socket, object) {
	t.Helper()
	c := dial(t, s.GatewayURL())
	c.next(opHello, "")
	c.send(identify(s, intents))
	ready := asObject(c.next(opDispatch, "READY")["d"])
	if intents&intentGuilds != 0 {
		c.next(opDispatch, "GUILD_CREATE")
	}
	return c, ready
}

// register registers the commands that the tests use.
func register(t *testing.T, s *Server) {
	t.Helper()
	a := call(t, s, http.MethodPut, "/applications/"+s.ApplicationID()+"/commands", []any{object{
		"name": "backup", "description": "Backups", "options": []any{
			object{"type": 1, "name": "start", "description": "Start one", "options": []any{
				object{"type": 3, "name": "source", "description": "What", "required": true, "autocomplete": true},
				object{"type": 4, "name": "count", "description": "How many", "min_value": 1},
				object{"type": 11, "name": "file", "description": "A file"},
			}},
			object{"type": 1, "name": "list", "description": "List them"},
		},
	}})
	if a.status != http.StatusOK {
		t.Fatalf("register: %d %s", a.status, a.raw)
	}
}

// specOnce shares the vocabulary between the tests of this package.
var specOnce = sync.OnceValues(func() (*SpecDoc, error) {
	programs, packages, err := findNode()
	if err != nil {
		return nil, nil // TestSpec says so
	}
	return LoadSpec(programs, packages)
})

// vocabulary is the shared one, for a test that cannot do without.
func vocabulary(t *testing.T) *SpecDoc {
	t.Helper()
	Node(t)
	doc, err := specOnce()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// serve starts a server all of whose answers are held against the vocabulary, where it is installed.
func serve(t *testing.T, cfg Config) *Server {
	t.Helper()
	doc, err := specOnce()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Spec = doc
	s := New(t, cfg)
	t.Cleanup(func() {
		for _, v := range s.Violations() {
			if strings.HasPrefix(v, "answer") {
				t.Error(v)
			}
		}
	})
	return s
}
