package discordtest

import (
	"fmt"
	"slices"
)

// Modal is a dialogue that one person sees.
type Modal struct {
	Title, CustomID string
	Inputs          []Input
	opened          *Interaction
}

// Input is one field of a modal. Type is 4 for text, 3 for a select menu, and so on.
type Input struct {
	Type        int
	Label       string
	Description string
	CustomID    string
	Value       string
	Placeholder string
	Required    bool
	Paragraph   bool
	Min, Max    int
	Options     []Option

	inRow bool
	id    int
}

// Modal is the dialogue that a person sees now, the latest if there are several.
func (s *Server) Modal(userID string) (Modal, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var latest *Interaction
	for _, i := range s.talk.interactions {
		if i.User == userID && i.modalUp && (latest == nil || snowflakeLess(latest.ID, i.ID)) {
			latest = i
		}
	}
	if latest == nil {
		return Modal{}, false
	}
	m := Modal{opened: latest}
	m.Title, _ = latest.modal["title"].(string)
	m.CustomID, _ = latest.modal["custom_id"].(string)
	for n, v := range array(latest.modal["components"]) {
		c := asObject(v)
		if inner := array(c["components"]); len(inner) > 0 {
			m.Inputs = append(m.Inputs, newInput(asObject(inner[0]), asObject(inner[0]), true, n))
		} else if c["component"] != nil {
			m.Inputs = append(m.Inputs, newInput(c, asObject(c["component"]), false, n))
		}
	}
	return m, true
}

func newInput(labelled, c object, inRow bool, n int) Input {
	in := Input{Type: integer(c["type"]), Required: c["required"] != false, Paragraph: integer(c["style"]) == 2, Min: integer(c["min_length"]), Max: 4000, inRow: inRow, id: 2*n + 1}
	in.Label, _ = labelled["label"].(string)
	in.Description, _ = labelled["description"].(string)
	in.CustomID, _ = c["custom_id"].(string)
	in.Value, _ = c["value"].(string)
	in.Placeholder, _ = c["placeholder"].(string)
	if c["max_length"] != nil {
		in.Max = integer(c["max_length"])
	}
	for _, o := range array(c["options"]) {
		in.Options = append(in.Options, convert[Option](o))
	}
	return in
}

// SubmitModal sends a dialogue off. Values are by label or custom_id: of texts as typed, of menus the
// value. What is not named keeps what the bot filled in.
func (s *Server) SubmitModal(userID string, m Modal, values map[string]string) (*Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.opened == nil || m.opened.User != userID || !m.opened.modalUp {
		return nil, fmt.Errorf("this person sees no such modal")
	}
	components, used := []any{}, 0
	for _, in := range m.Inputs {
		value, named := values[in.CustomID]
		if !named {
			value, named = values[in.Label]
		}
		if named {
			used++
		} else {
			value = in.Value
		}
		if err := in.takes(value); err != nil {
			return nil, err
		}
		components = append(components, in.submitted(value))
	}
	if used != len(values) {
		return nil, fmt.Errorf("of the values for %v not all are fields of the modal", sortedKeys(values))
	}
	i, err := s.newInteraction(userID, m.opened.Channel, typeModal, m.Title, object{"custom_id": m.CustomID, "components": components})
	if err != nil {
		return nil, err
	}
	i.source = m.opened.source
	m.opened.modalUp = false
	s.deliver(i)
	return i, nil
}

// CloseModal dismisses a dialogue; the bot is not told.
func (s *Server) CloseModal(m Modal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.opened.modalUp = false
	s.notify()
}

func (in Input) takes(value string) error {
	n := len([]rune(value))
	switch {
	case n == 0 && in.Required:
		return fmt.Errorf("%q must be filled in", in.Label)
	case in.Type == compTextInput && n > 0 && (n < in.Min || n > in.Max):
		return fmt.Errorf("%q takes %d to %d characters, not %d", in.Label, in.Min, in.Max, n)
	case in.Type == compSelect && n > 0 && !slices.ContainsFunc(in.Options, func(o Option) bool { return o.Value == value }):
		return fmt.Errorf("%q has no value %q", in.Label, value)
	}
	return nil
}

func (in Input) submitted(value string) object {
	c := object{"type": in.Type, "id": in.id + 1, "custom_id": in.CustomID}
	switch {
	case in.Type == compTextInput:
		c["value"] = value
	case value == "":
		c["values"] = []any{}
	default:
		c["values"] = []any{value}
	}
	if in.inRow {
		return object{"type": compRow, "id": in.id, "components": []any{c}}
	}
	return object{"type": compLabel, "id": in.id, "component": c}
}
