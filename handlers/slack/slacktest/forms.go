package slacktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// note keeps what a person has chosen in a view. The lock is held.
func (v *view) note(u use, action map[string]any) {
	block, id := u.block.str("block_id"), u.element.str("action_id")
	if v.state[block] == nil {
		v.state[block] = map[string]any{}
	}
	v.state[block][id] = stateOf(action)
}

// stateOf is what an action leaves in state.values: its type and its value.
func stateOf(action map[string]any) map[string]any {
	out := map[string]any{}
	for k, val := range action {
		if k == "type" || k == "value" || strings.HasPrefix(k, "selected_") {
			out[k] = val
		}
	}
	return out
}

// valueOf is the value of an element in Slack's words.
func valueOf(u use, value any) (map[string]any, error) {
	e, kind := u.element, u.element.str("type")
	switch kind {
	case "plain_text_input", "number_input", "email_text_input", "url_text_input":
		return inputValue(u, value)
	case "static_select", "radio_buttons", "overflow", "external_select":
		o, err := option(e, value)
		return map[string]any{"type": kind, "selected_option": o}, err
	case "multi_static_select", "checkboxes", "multi_external_select":
		names, _ := value.([]string)
		all := []object{}
		for _, n := range names {
			o, err := option(e, n)
			if err != nil {
				return nil, err
			}
			all = append(all, o)
		}
		return map[string]any{"type": kind, "selected_options": all}, nil
	}
	plain := map[string]string{"datepicker": "selected_date", "timepicker": "selected_time", "datetimepicker": "selected_date_time", "users_select": "selected_user",
		"conversations_select": "selected_conversation", "channels_select": "selected_channel", "multi_users_select": "selected_users", "multi_conversations_select": "selected_conversations", "multi_channels_select": "selected_channels"}
	if name := plain[kind]; name != "" {
		return map[string]any{"type": kind, name: value}, nil
	}
	return nil, fmt.Errorf("a person cannot choose a value in a %s", kind)
}

func inputValue(u use, value any) (map[string]any, error) {
	text, _ := value.(string)
	most, least := limit(u.element, "max_length"), limit(u.element, "min_length")
	if most > 0 && runes(text) > most || runes(text) < least {
		return nil, fmt.Errorf("%q does not go into %q: it takes %d to %d characters", text, u.label(), least, most)
	}
	if text == "" {
		return map[string]any{"type": u.element.str("type"), "value": nil}, nil
	}
	return map[string]any{"type": u.element.str("type"), "value": text}, nil
}

func limit(e object, name string) int {
	n, _ := e[name].(json.Number)
	i, _ := n.Int64()
	return int(i)
}

// option finds an option by its value or its label. An external select takes what
// is given: its options came from the app.
func option(e object, value any) (object, error) {
	name, _ := value.(string)
	if strings.Contains(e.str("type"), "external") {
		return object{"text": map[string]any{"type": "plain_text", "text": name}, "value": name}, nil
	}
	all := allOptions(e)
	for _, o := range all {
		if o.str("value") == name || textOf(o.obj("text")) == name {
			return o, nil
		}
	}
	var labels []string
	for _, o := range all {
		labels = append(labels, textOf(o.obj("text")))
	}
	return nil, fmt.Errorf("there is no option %q; there is %s", name, strings.Join(labels, ", "))
}

// initial is the value that the app has put into an element, nil when none.
func initial(e object) map[string]any {
	out := map[string]any{"type": e.str("type")}
	names := map[string]string{"initial_value": "value", "initial_option": "selected_option", "initial_options": "selected_options", "initial_date": "selected_date", "initial_time": "selected_time",
		"initial_date_time": "selected_date_time", "initial_user": "selected_user", "initial_conversation": "selected_conversation", "initial_channel": "selected_channel"}
	for from, to := range names {
		if e.has(from) {
			out[to] = e[from]
			return out
		}
	}
	return nil
}

// Submit is a person who fills in the modal that is open and presses its submit
// button. values are by action id, block id or label: a string, a []string for
// several options, a number for a date and time.
func (s *Server) Submit(user string, values map[string]any, opts ...Option) *Delivery {
	s.mu.Lock()
	stack := s.modals[user]
	if len(stack) == 0 {
		s.mu.Unlock()
		return s.refuse(fmt.Errorf("%s has no modal open", user))
	}
	v := stack[len(stack)-1]
	v.Errors = nil
	before := v.copyState()
	if err := v.fill(values); err != nil {
		v.state = before
		s.mu.Unlock()
		return s.refuse(err)
	}
	d := s.interaction(submitCallback, user, Message{}, v.View)
	d.view, d.done = v, s.submitted
	p := s.base(submitCallback, user)
	p["trigger_id"], p["view"], p["response_urls"] = d.TriggerID, v.json(), []any{}
	d.Payload = encode(p)
	s.mu.Unlock()
	return s.start(d, opts)
}

func (v *view) copyState() map[string]map[string]any {
	out := map[string]map[string]any{}
	for block, actions := range v.state {
		out[block] = maps.Clone(actions)
	}
	return out
}

// fill writes values into the view's state, and says what the person would be told
// by the form itself. The lock is held.
func (v *view) fill(values map[string]any) error {
	left := maps.Clone(values)
	for _, u := range usable(v.Blocks) {
		block, id := u.block.str("block_id"), u.element.str("action_id")
		value, given := any(nil), false
		for _, name := range []string{id, block, u.label()} {
			if x, ok := left[name]; ok && !given {
				value, given = x, true
				delete(left, name)
			}
		}
		if given {
			state, err := valueOf(u, value)
			if err != nil {
				return err
			}
			v.note(u, state)
		} else if v.state[block][id] == nil {
			if first := initial(u.element); first != nil {
				v.note(u, first)
			}
		}
		if u.block.str("type") == "input" && !u.block.flag("optional") && hollow(v.state[block][id]) {
			return fmt.Errorf("%q must be filled in", u.label())
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("the modal has no field called %v", slices.Sorted(maps.Keys(left)))
	}
	return nil
}

// hollow says that a state holds no value.
func hollow(state any) bool {
	m, _ := state.(map[string]any)
	for k, v := range m {
		if k != "type" && v != nil {
			return false
		}
	}
	return true
}

// submitted does what the response to a submission asks for: nothing closes the
// modal; errors are shown; update, push and clear. The lock is held.
func (s *Server) submitted(d *Delivery, reply json.RawMessage) {
	var r struct {
		Action string            `json:"response_action"`
		Errors map[string]string `json:"errors"`
		View   json.RawMessage   `json:"view"`
	}
	if reply != nil {
		_ = json.Unmarshal(reply, &r) // anything else is no action
	}
	stack := s.modals[d.user]
	if len(stack) == 0 {
		return
	}
	top := stack[len(stack)-1]
	switch r.Action {
	case "":
		s.modals[d.user] = stack[:len(stack)-1]
	case "clear":
		s.modals[d.user] = nil
	case "errors":
		top.Errors = r.Errors
		for block := range r.Errors {
			if !bytes.Contains(top.Blocks, []byte(`"block_id":"`+block+`"`)) {
				d.err, d.acked = fmt.Errorf("errors for %q, which is no block of the modal: the person sees only that something went wrong", block), false
			}
		}
	case "update", "push":
		n, err := s.parseView(r.View, d.user)
		if err == nil && r.Action == "push" {
			err = s.push(d.user, n)
		} else if err == nil {
			top.become(n)
		}
		if err != nil {
			d.err, d.acked = fmt.Errorf("the response is refused: %w", err), false
		}
	default:
		d.err, d.acked = fmt.Errorf("unknown response_action %q", r.Action), false
	}
}

// CloseView is a person who closes the modal that is open. The app is told only
// when it has asked for that with notify_on_close; otherwise the Delivery is done
// at once.
func (s *Server) CloseView(user string, opts ...Option) *Delivery {
	s.mu.Lock()
	stack := s.modals[user]
	if len(stack) == 0 {
		s.mu.Unlock()
		return s.refuse(fmt.Errorf("%s has no modal open", user))
	}
	v := stack[len(stack)-1]
	s.modals[user] = stack[:len(stack)-1]
	if v.clear {
		s.modals[user] = nil
	}
	s.touch()
	if !v.notify {
		s.mu.Unlock()
		return &Delivery{s: s, acked: true}
	}
	d := s.interaction(closedCallback, user, Message{}, v.View)
	p := s.base(closedCallback, user)
	p["view"], p["is_cleared"] = v.json(), v.clear
	d.Payload = encode(p)
	s.mu.Unlock()
	return s.start(d, opts)
}
