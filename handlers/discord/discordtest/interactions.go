package discordtest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Kinds of interactions, https://discord.com/developers/docs/interactions/receiving-and-responding.
const (
	typePing         = 1
	typeCommand      = 2
	typeComponent    = 3
	typeAutocomplete = 4
	typeModal        = 5
)

const (
	answerTime = 3 * time.Second  // for the first response
	tokenLife  = 15 * time.Minute // for edits and follow-ups
)

// State is how far the bot has answered an interaction.
type State string

// The states. Waiting becomes Failed after 3 seconds, Thinking after 15 minutes.
const (
	Waiting  State = "waiting"  // nothing yet
	Thinking State = "thinking" // deferred: "… is thinking"
	Deferred State = "deferred" // an update of the clicked message is deferred: nothing is seen
	Answered State = "answered" // with a message, or an update of the clicked one
	ModalUp  State = "modal"    // with a modal
	Choices  State = "choices"  // of autocomplete
	Failed   State = "failed"   // "The application did not respond"
)

// Interaction is something that a person did and the bot must answer. Its fields do not change.
type Interaction struct {
	ID, User, Channel string

	srv      *Server
	token    string
	kind     int
	guild    string
	name     string
	data     object
	created  time.Time
	source   *message // that was clicked
	original *message // the response, or the clicked message after an update
	answer   int      // type of the callback, 0 for none
	edited   bool     // a deferred response has been filled
	choices  []Choice
	modal    object
	modalUp  bool
	refused  string // why the answer did not count
	sent     *sentDelivery
}

// State is how far it has been answered by now.
func (i *Interaction) State() State {
	i.srv.mu.Lock()
	defer i.srv.mu.Unlock()
	return i.state()
}

func (i *Interaction) state() State {
	age := i.srv.Now().Sub(i.created)
	switch i.answer {
	case 0:
		if age > answerTime || i.refused != "" {
			return Failed
		}
		return Waiting
	case callbackDefer:
		switch {
		case i.edited:
			return Answered
		case age > tokenLife:
			return Failed
		}
		return Thinking
	case callbackDeferUpdate:
		if i.edited {
			return Answered
		}
		return Deferred
	case callbackChoices:
		return Choices
	case callbackModal:
		return ModalUp
	}
	return Answered
}

// Problem says why an answer of the bot was refused; empty if none was.
func (i *Interaction) Problem() string {
	i.srv.mu.Lock()
	defer i.srv.mu.Unlock()
	return i.refused
}

// Reply is the response as people see it, after deferring the one that is thinking, after an update
// the clicked message. False while there is none.
func (i *Interaction) Reply() (Message, bool) {
	i.srv.mu.Lock()
	defer i.srv.mu.Unlock()
	if i.original == nil {
		return Message{}, false
	}
	return i.srv.view(i.original), true
}

// Followups are the messages that followed the response.
func (i *Interaction) Followups() []Message {
	return i.srv.see(func(m *message) bool { return m.interaction == i && m != i.original && !m.deleted })
}

// WaitAcknowledged returns the first state that is not Waiting.
func (i *Interaction) WaitAcknowledged(ctx context.Context) (State, error) {
	var state State
	err := i.srv.Wait(ctx, "an acknowledgement of "+i.name, func() bool { state = i.State(); return state != Waiting })
	return state, err
}

// WaitReply waits for the finished response: answered, or edited after deferring. It is an error
// when the interaction fails, or is answered by a modal.
func (i *Interaction) WaitReply(ctx context.Context) (Message, error) {
	var state State
	err := i.srv.Wait(ctx, "the answer to "+i.name, func() bool {
		state = i.State()
		return state != Waiting && state != Thinking && state != Deferred
	})
	if err != nil {
		return Message{}, err
	}
	m, is := i.Reply()
	if state != Answered || !is {
		return m, fmt.Errorf("%s was not answered by a message but is %s %s", i.name, state, i.Problem())
	}
	return m, nil
}

const (
	callbackPong        = 1
	callbackMessage     = 4
	callbackDefer       = 5
	callbackDeferUpdate = 6
	callbackUpdate      = 7
	callbackChoices     = 8
	callbackModal       = 9
)

const callbackRoute = "/interactions/{interaction}/{token}/callback"

func (s *Server) interactionRoutes() {
	s.open("POST "+callbackRoute, s.callback)
	const hook = "/webhooks/{app}/{token}"
	s.open("POST "+hook, s.followUp)
	for _, path := range []string{hook + "/messages/@original", hook + "/messages/{message}"} {
		s.open("GET "+path, s.onHook(func(_ *Interaction, m *message, _ *request) reply { return ok(s.messageJSON(m)) }))
		s.open("PATCH "+path, s.onHook(s.editByHook))
		s.open("DELETE "+path, s.onHook(func(i *Interaction, m *message, _ *request) reply { s.remove(m); return noContent() }))
	}
}

func (s *Server) callback(req *request) reply {
	i := s.talk.tokens[req.token]
	if i == nil || i.ID != req.PathValue("interaction") {
		return failure(http.StatusNotFound, 10062, "Unknown interaction")
	}
	if bad := s.respond(i, req.body, req.files); bad != nil {
		return *bad
	}
	if req.URL.Query().Get("with_response") != "true" {
		return noContent()
	}
	return ok(s.callbackJSON(i))
}

func (s *Server) callbackJSON(i *Interaction) object {
	about := object{"id": i.ID, "type": i.kind, "channel_id": i.Channel}
	if i.guild != "" {
		about["guild_id"] = i.guild
	}
	out := object{"interaction": about}
	if m := i.original; m != nil {
		about["response_message_id"], about["response_message_loading"] = m.id, m.flags&FlagLoading != 0
		about["response_message_ephemeral"] = m.ephemeralTo != ""
		out["resource"] = object{"type": i.answer, "message": s.messageJSON(m)}
		if i.answer == callbackDefer {
			out["resource"] = object{"type": callbackMessage, "message": s.messageJSON(m)}
		}
		if i.answer == callbackDeferUpdate {
			delete(out, "resource")
		}
	}
	return out
}

// respond takes the first answer to an interaction, however it came. The caller holds the lock.
func (s *Server) respond(i *Interaction, body object, files []File) *reply {
	bad := s.judgeResponse(i, body, files)
	if bad != nil {
		if o := asObject(bad.body); i.answer == 0 {
			i.refused = fmt.Sprint(o["message"], " ", o["code"], " ", o["errors"])
		}
		s.notify()
		return bad
	}
	data := asObject(body["data"])
	i.answer = integer(body["type"])
	i.refused = ""
	switch i.answer {
	case callbackMessage, callbackDefer:
		s.answerMessage(i, data, files)
	case callbackDeferUpdate:
		i.original = i.source
	case callbackUpdate:
		i.original = i.source
		s.edit(i.source, &request{body: data, files: files})
	case callbackChoices:
		for _, c := range array(data["choices"]) {
			i.choices = append(i.choices, convert[Choice](c))
		}
	case callbackModal:
		i.modal, i.modalUp = data, true
	}
	s.notify()
	return nil
}

func (s *Server) answerMessage(i *Interaction, data object, files []File) {
	m := s.newMessage(i.Channel, s.world.bot)
	m.interaction, i.original = i, m
	if integer(data["flags"])&FlagEphemeral != 0 {
		m.ephemeralTo = i.User
	}
	if i.answer == callbackDefer {
		m.flags = integer(data["flags"])&FlagEphemeral | FlagLoading
		s.soon(tokenLife)
	} else {
		m.fill(s, data, files)
	}
	s.publish(m, "MESSAGE_CREATE")
}

func (s *Server) judgeResponse(i *Interaction, body object, files []File) *reply {
	if i.answer != 0 {
		r := failure(http.StatusBadRequest, 40060, "Interaction has already been acknowledged.")
		return &r
	}
	if s.Now().Sub(i.created) > answerTime {
		r := failure(http.StatusNotFound, 10062, "Unknown interaction")
		return &r
	}
	var f formErrors
	kind, data := integer(body["type"]), asObject(body["data"])
	if !slices.Contains(i.allowed(), kind) {
		f.add("type", "INTERACTION_RESPONSE_TYPE_INVALID", fmt.Sprintf("A response of type %d does not fit an interaction of type %d.", kind, i.kind))
		return f.reply()
	}
	switch kind {
	case callbackMessage:
		return nest(checkMessage(data, len(files), 0))
	case callbackUpdate:
		return nest(checkEdit(i.source, data, len(files)))
	case callbackChoices:
		f.suggestions(array(data["choices"]), i.focused())
	case callbackModal:
		f.modal(data)
	}
	return f.reply()
}

// allowed are the types of response that an interaction takes.
func (i *Interaction) allowed() []int {
	switch {
	case i.kind == typeAutocomplete:
		return []int{callbackChoices}
	case i.kind == typeCommand:
		return []int{callbackMessage, callbackDefer, callbackModal}
	case i.kind == typeModal && i.source == nil:
		return []int{callbackMessage, callbackDefer}
	case i.kind == typeModal:
		return []int{callbackMessage, callbackDefer, callbackDeferUpdate, callbackUpdate}
	}
	return []int{callbackMessage, callbackDefer, callbackDeferUpdate, callbackUpdate, callbackModal}
}

func (f *formErrors) suggestions(all []any, kind int) {
	if len(all) > maxChoices {
		f.tooLong("data.choices", maxChoices)
	}
	for n, c := range all {
		f.choice(fmt.Sprintf("data.choices.%d", n), asObject(c), kind)
	}
}

// focused is the type of the option that is being typed.
func (i *Interaction) focused() int {
	kind := 0
	var find func(all []any)
	find = func(all []any) {
		for _, v := range all {
			if o := asObject(v); o["focused"] == true {
				kind, _ = o["type"].(int)
			} else {
				find(array(o["options"]))
			}
		}
	}
	find(array(i.data["options"]))
	return kind
}

// nest puts the errors of a message below data, where a callback has it.
func nest(r *reply) *reply {
	if r == nil {
		return nil
	}
	if o := asObject(r.body); o["errors"] != nil {
		o["errors"] = object{"data": o["errors"]}
	}
	return r
}

// hook finds the interaction of a token that still lives.
func (s *Server) hook(req *request) (*Interaction, *reply) {
	if req.PathValue("app") != s.world.app {
		r := failure(http.StatusNotFound, 10015, "Unknown Webhook")
		return nil, &r
	}
	i := s.talk.tokens[req.token]
	if i == nil || s.Now().Sub(i.created) > tokenLife {
		r := failure(http.StatusUnauthorized, 50027, "Invalid Webhook Token")
		return nil, &r
	}
	if i.answer == 0 { // before the first response there is nothing to follow
		r := failure(http.StatusNotFound, 10015, "Unknown Webhook")
		return nil, &r
	}
	return i, nil
}

func (s *Server) onHook(h func(*Interaction, *message, *request) reply) handler {
	return func(req *request) reply {
		i, bad := s.hook(req)
		if bad != nil {
			return *bad
		}
		m := i.original
		if id := req.PathValue("message"); id != "" && (m == nil || m.id != id) {
			m = s.talk.find(i.Channel, id)
			if m != nil && m.interaction != i {
				m = nil
			}
		}
		if m == nil || m.deleted {
			return unknownMessage()
		}
		return h(i, m, req)
	}
}

func (s *Server) editByHook(i *Interaction, m *message, req *request) reply {
	out := s.edit(m, req)
	if !out.bad() {
		m.flags &^= FlagLoading
		if m == i.original {
			i.edited = true
		}
		out.body = s.messageJSON(m)
	}
	return out
}

// followUp posts another message. The first one after deferring fills the message that is
// thinking, as the vendor's does.
func (s *Server) followUp(req *request) reply {
	i, bad := s.hook(req)
	if bad != nil {
		return *bad
	}
	if bad := checkMessage(req.body, len(req.files), 0); bad != nil {
		return *bad
	}
	if i.answer == callbackDefer && !i.edited && i.original != nil && !i.original.deleted {
		return s.editByHook(i, i.original, req)
	}
	m := s.newMessage(i.Channel, s.world.bot)
	m.interaction = i
	if integer(req.body["flags"])&FlagEphemeral != 0 {
		m.ephemeralTo = i.User
	}
	m.fill(s, req.body, req.files)
	s.publish(m, "MESSAGE_CREATE")
	return ok(s.messageJSON(m))
}
