package discordtest

import (
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"time"
)

// Limits of commands, https://discord.com/developers/docs/interactions/application-commands.
const (
	maxSlash      = 100
	maxMenus      = 15 // of user commands, and of message commands
	maxOptions    = 25
	maxChoices    = 25
	maxCommandSum = 8000
	createsPerDay = 200
)

// registry holds what the bot registered. The key of scopes is a guild's id, or empty for global.
type registry struct {
	scopes   map[string][]object
	creates  map[string]int
	day      map[string]time.Time
	nameRule *regexp.Regexp
}

func (r *registry) init() {
	r.scopes, r.creates, r.day = map[string][]object{}, map[string]int{}, map[string]time.Time{}
	r.nameRule = regexp.MustCompile(`^[-_'\p{L}\p{N}\p{Devanagari}\p{Thai}]{1,32}$`)
}

func (s *Server) commandRoutes() {
	for _, path := range []string{"/applications/{app}/commands", "/applications/{app}/guilds/{guild}/commands"} {
		s.authorised("GET "+path, s.getCommands)
		s.authorised("PUT "+path, s.putCommands)
	}
}

// Commands are the commands that the bot registered in a guild, or with "" the global ones,
// as JSON objects.
func (s *Server) Commands(guildID string) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []map[string]any
	for _, c := range s.commands.scopes[guildID] {
		out = append(out, convert[map[string]any](c))
	}
	return out
}

func (s *Server) commandScope(req *request) (string, *reply) {
	if req.PathValue("app") != s.world.app {
		r := failure(http.StatusForbidden, 20012, "You are not authorized to perform this action on this application")
		return "", &r
	}
	id := req.PathValue("guild")
	if g := s.world.guilds[id]; id != "" && (g == nil || g.gone) {
		r := missingAccess()
		return "", &r
	}
	return id, nil
}

func (s *Server) getCommands(req *request) reply {
	scope, bad := s.commandScope(req)
	if bad != nil {
		return *bad
	}
	return ok(list(s.commands.scopes[scope]))
}

// putCommands overwrites all commands of a scope, of every type. A name that is there
// already keeps its id and costs nothing of the day's creations.
func (s *Server) putCommands(req *request) reply {
	scope, bad := s.commandScope(req)
	if bad != nil {
		return *bad
	}
	all, is := req.body[""].([]any)
	if !is {
		var f formErrors
		f.add("", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
		return *f.reply()
	}
	if bad := s.commands.check(all); bad != nil {
		return *bad
	}
	old := map[string]object{}
	for _, c := range s.commands.scopes[scope] {
		old[commandKey(c)] = c
	}
	now, created := s.Now(), 0
	next := []object{}
	for _, v := range all {
		c := s.finishedCommand(asObject(v), scope, old[commandKey(asObject(v))])
		if old[commandKey(c)] == nil {
			created++
		}
		next = append(next, c)
	}
	r := &s.commands
	if now.Sub(r.day[scope]) >= 24*time.Hour {
		r.day[scope], r.creates[scope] = now, 0
	}
	if r.creates[scope]+created > createsPerDay {
		return failure(http.StatusBadRequest, 30034, "Max number of daily application command creates has been reached (200)")
	}
	r.creates[scope] += created
	r.scopes[scope] = next
	return ok(list(next))
}

func commandKey(c object) string {
	kind := 1
	switch v := c["type"].(type) {
	case float64:
		kind = int(v)
	case int:
		kind = v
	}
	return fmt.Sprint(kind, " ", c["name"])
}

func (s *Server) finishedCommand(in object, scope string, old object) object {
	out := object{
		"application_id": s.world.app, "type": 1, "description": "", "default_member_permissions": nil, "nsfw": false,
	}
	for k, v := range in {
		if v != nil || k == "default_member_permissions" {
			out[k] = withoutNulls(v)
		}
	}
	if t := integer(in["type"]); t != 0 {
		out["type"] = t
	} else {
		out["type"] = 1
	}
	if scope != "" {
		out["guild_id"] = scope
		delete(out, "dm_permission")
		delete(out, "contexts")
	} else {
		if _, named := out["contexts"]; !named {
			out["contexts"] = nil
		}
		out["integration_types"] = []any{0}
	}
	out["id"], out["version"] = s.id(), s.id()
	if old != nil {
		out["id"] = old["id"]
		version := out["version"]
		if out["version"] = old["version"]; !reflect.DeepEqual(out, old) {
			out["version"] = version
		}
	}
	return out
}

// withoutNulls leaves out what a client names without a value, as Discord's answers do.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case []any:
		out := []any{}
		for _, x := range v {
			out = append(out, withoutNulls(x))
		}
		return out
	case object:
		out := object{}
		for k, x := range v {
			if x != nil {
				out[k] = withoutNulls(x)
			}
		}
		return out
	}
	return v
}
