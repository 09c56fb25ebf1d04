package discordtest

import (
	"context"
	"fmt"
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
	// AnswerTime is what Discord gives a bot for the first response
	// (developers/interactions/receiving-and-responding).
	AnswerTime = 3 * time.Second
	tokenLife  = 15 * time.Minute // for edits and follow-ups
)

// State is how far the bot has answered an interaction.
type State string

// The states. Waiting becomes Failed after [Config].AnswerTime, Thinking after 15 minutes.
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
		if age > i.srv.cfg.AnswerTime || i.refused != "" {
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

// Token is what it is answered with.
func (i *Interaction) Token() string { return i.token }

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
