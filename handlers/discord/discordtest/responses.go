package discordtest

import (
	"fmt"
	"net/http"
	"slices"
)

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
	if s.Now().Sub(i.created) > s.cfg.AnswerTime {
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
		return nest(checkMessage(data, files, nil))
	case callbackUpdate:
		return nest(checkEdit(i.source, data, files))
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
