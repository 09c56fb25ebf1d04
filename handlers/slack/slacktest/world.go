package slacktest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// User is a person or a bot of the workspace.
type User struct {
	ID, Name, RealName, TZ string
	Bot, Deleted, Admin    bool
}

// Channel is a conversation. Its kind follows from its id: C public, G private,
// D direct message.
type Channel struct {
	ID, Name string
	Archived bool
	Members  []string
}

// Group is a user group.
type Group struct {
	ID, Handle, Name string
	Users            []string
	Disabled         bool
}

type world struct {
	users    map[string]*User
	channels map[string]*Channel
	groups   []Group
	posts    map[string][]*post // by channel, in the order of their ts
	whispers []*post            // ephemeral, in order
	files    []File
	modals   map[string][]*view // by person, the visible one last
	homes    map[string]*view
	lastTS   int64 // microseconds
}

func newWorld() world {
	w := world{users: map[string]*User{}, channels: map[string]*Channel{}, posts: map[string][]*post{}, modals: map[string][]*view{}, homes: map[string]*view{}}
	for _, u := range []User{{ID: BotUser, Name: "keepwatch", RealName: "Keepwatch", Bot: true}, {ID: Alis, Name: "alis", RealName: "Alis Morgan", TZ: "Europe/London", Admin: true}, {ID: Bram, Name: "bram", RealName: "Bram Visser", TZ: "Europe/Amsterdam"}} {
		w.users[u.ID] = &u
	}
	for _, c := range []Channel{{ID: Ops, Name: "ops", Members: []string{BotUser, Alis, Bram}}, {ID: Random, Name: "random", Members: []string{Alis, Bram}}, {ID: Secret, Name: "secret", Members: []string{BotUser, Alis}}} {
		w.channels[c.ID] = &c
	}
	return w
}

// AddUser adds or replaces a person.
func (s *Server) AddUser(u User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[u.ID] = &u
	s.touch()
}

// AddChannel adds or replaces a conversation: archives it, puts the bot out of it.
func (s *Server) AddChannel(c Channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Members = slices.Clone(c.Members)
	s.channels[c.ID] = &c
	s.touch()
}

// RemoveChannel makes the channel unknown to the app.
func (s *Server) RemoveChannel(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.channels, id)
	s.touch()
}

// AddGroup adds or replaces a user group.
func (s *Server) AddGroup(g Group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups = append(slices.DeleteFunc(s.groups, func(o Group) bool { return o.ID == g.ID }), g)
	s.touch()
}

// ts makes the timestamp of a message: unique and growing, as Slack's are. The
// lock is held.
func (s *Server) ts() string {
	s.lastTS = max(s.lastTS+1, s.clock.Now().UnixMicro())
	return fmt.Sprintf("%d.%06d", s.lastTS/1e6, s.lastTS%1e6)
}

// direct is the conversation of the bot with a person, made when missing. The lock
// is held.
func (s *Server) direct(user string) *Channel {
	id := "D" + user[1:]
	if s.channels[id] == nil {
		s.channels[id] = &Channel{ID: id, Members: []string{BotUser, user}}
	}
	return s.channels[id]
}

// DirectID is the id of the conversation between the bot and a person.
func DirectID(user string) string { return "D" + user[1:] }

// Revision is what a message was from a time on.
type Revision struct {
	At                            time.Time
	Text                          string
	Blocks, Attachments, Metadata json.RawMessage
	Deleted                       bool
}

// Message is a copy of a message as it was when it was asked for.
type Message struct {
	Channel, TS, ThreadTS, User string
	Text                        string
	Blocks, Attachments         json.RawMessage
	Metadata                    json.RawMessage
	Files                       []string // ids
	Ephemeral                   bool
	To                          string // who sees it, when ephemeral
	Deleted                     bool
	Posted                      time.Time
	Edits                       int        // how often it was changed after it was posted
	History                     []Revision // oldest first; the last is what it is now
}

// post is a message in the fake's keeping.
type post struct{ Message }

func (p *post) copy() Message {
	m := p.Message
	m.History = slices.Clone(p.History)
	return m
}

// put appends a new message. The lock is held.
func (s *Server) put(m Message) *post {
	m.TS, m.Posted = s.ts(), s.clock.Now()
	p := &post{m}
	p.revise(s.clock.Now())
	if m.Ephemeral {
		s.whispers = append(s.whispers, p)
	} else {
		s.posts[m.Channel] = append(s.posts[m.Channel], p)
	}
	s.touch()
	return p
}

func (p *post) revise(at time.Time) {
	p.History = append(p.History, Revision{At: at, Text: p.Text, Blocks: p.Blocks, Attachments: p.Attachments, Metadata: p.Metadata, Deleted: p.Deleted})
	p.Edits = len(p.History) - 1
}

// find is the message with this ts, if it is there and not deleted. The lock is held.
func (s *Server) find(channel, ts string) *post {
	for _, p := range s.posts[channel] {
		if p.TS == ts && !p.Deleted {
			return p
		}
	}
	return nil
}

// Messages are those of a channel that everybody in it sees, in order, threads
// included, deleted ones left out.
func (s *Server) Messages(channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return seen(s.posts[channel], func(*post) bool { return true })
}

// AllMessages are the same with the deleted ones.
func (s *Server) AllMessages(channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Message
	for _, p := range s.posts[channel] {
		all = append(all, p.copy())
	}
	return all
}

// Ephemerals are the messages of a channel that only this person sees.
func (s *Server) Ephemerals(user, channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return seen(s.whispers, func(p *post) bool { return p.To == user && p.Channel == channel })
}

func seen(posts []*post, take func(*post) bool) []Message {
	var all []Message
	for _, p := range posts {
		if !p.Deleted && take(p) {
			all = append(all, p.copy())
		}
	}
	return all
}
