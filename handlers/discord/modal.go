package discord

import (
	"encoding/json"
	"slices"

	"keepwatch"
)

// Limits of a form (developers/interactions/receiving-and-responding, "Modal").
const (
	maxModalTitle  = 45
	maxModalParts  = 5
	maxModalText   = 3500 // of 4,000, with room for what escaping adds
	maxModalLabel  = 45
	maxModalHint   = 100
	maxInput       = 4000
	typeTextInput  = 4
	typeSelect     = 3
	typeTextShown  = 10
	typeLabel      = 18
	shortInput     = 1
	paragraphInput = 2
)

// modal is a form as Discord takes it. discordgo v0.29 lacks the Label component
// (its issue 1654), which is what an input stands in now that rows in forms are
// deprecated, so the JSON is our own; so is the decoding of what comes back,
// because discordgo fails on a component that it does not know.
type modal struct {
	CustomID   string      `json:"custom_id"`
	Title      string      `json:"title"`
	Components []modalPart `json:"components"`
}

// modalPart is a Label with an input in it, or a text that is shown.
type modalPart struct {
	Type        int         `json:"type"`
	Content     string      `json:"content,omitempty"` // of a text
	Label       string      `json:"label,omitempty"`
	Description string      `json:"description,omitempty"`
	Component   *modalInput `json:"component,omitempty"`
}

// modalInput is a text input, or a menu.
type modalInput struct {
	Type        int           `json:"type"`
	CustomID    string        `json:"custom_id"`
	Required    bool          `json:"required"`
	Style       int           `json:"style,omitempty"`
	Value       string        `json:"value,omitempty"`
	Placeholder string        `json:"placeholder,omitempty"`
	Options     []modalOption `json:"options,omitempty"`
}

type modalOption struct {
	Label   string `json:"label"`
	Value   string `json:"value"`
	Default bool   `json:"default,omitempty"`
}

// newModal makes the form of a button. Fields beyond the fifth are left to the
// command, which asks for what it needs; the required ones come first.
func newModal(b keepwatch.Button, token string) modal {
	form := *b.Form
	title := form.Title
	if title == "" {
		title = b.Label
	}
	m := modal{CustomID: customID(onForm, 0, token), Title: label(title, maxModalTitle)}
	fields := slices.Clone(form.Fields)
	if len(fields) > maxModalParts {
		slices.SortStableFunc(fields, func(a, b keepwatch.FormField) int {
			switch {
			case a.Required == b.Required:
				return 0
			case a.Required:
				return -1
			}
			return 1
		})
		fields = fields[:maxModalParts]
	}
	text := form.Text
	if text == "" && len(fields) == 0 { // Discord wants something in a form
		text = "Go on?"
	}
	if text != "" && len(fields) < maxModalParts {
		m.Components = append(m.Components, modalPart{Type: typeTextShown, Content: shown(text)})
	}
	for _, f := range fields {
		m.Components = append(m.Components, modalPart{Type: typeLabel, Label: label(f.Label, maxModalLabel), Description: cut(keepwatch.Clean(f.Hint), maxModalHint), Component: input(f)})
	}
	return m
}

// shown escapes a text for a form, cut to fit.
func shown(text string) string {
	for n := maxModalText; ; n -= n / 4 {
		if s := escape(cut(text, n)); size(s) <= maxModalText {
			return s
		}
	}
}

func input(f keepwatch.FormField) *modalInput {
	in := &modalInput{Type: typeTextInput, CustomID: cut(f.Name, maxCustomID), Required: f.Required, Style: shortInput, Value: cut(f.Value, maxInput)}
	choices := slices.Compact(slices.Sorted(slices.Values(f.Choices)))
	fits := len(choices) > 0 && len(f.Choices) == len(choices) && len(choices) <= maxOptions && !slices.ContainsFunc(f.Choices, func(c string) bool { return c == "" || size(c) > maxOption })
	switch {
	case f.Type == keepwatch.FieldChoice && fits:
		in.Type, in.Style, in.Value = typeSelect, 0, ""
		for _, c := range f.Choices {
			in.Options = append(in.Options, modalOption{Label: label(c, maxOption), Value: c, Default: c == f.Value})
		}
	case f.Type == keepwatch.FieldDate:
		in.Placeholder = "YYYY-MM-DD"
	case f.Words:
		in.Style = paragraphInput
	}
	return in
}

// submitted reads what was filled in: inputs in Labels, and in the rows that
// older forms have them in.
func submitted(data json.RawMessage) (id string, values map[string]string, err error) {
	type field struct {
		CustomID string   `json:"custom_id"`
		Value    string   `json:"value"`
		Values   []string `json:"values"`
	}
	var form struct {
		CustomID   string `json:"custom_id"`
		Components []struct {
			Component  *field  `json:"component"`
			Components []field `json:"components"`
		} `json:"components"`
	}
	if err := json.Unmarshal(data, &form); err != nil {
		return "", nil, err
	}
	values = map[string]string{}
	for _, part := range form.Components {
		fields := part.Components
		if part.Component != nil {
			fields = append(fields, *part.Component)
		}
		for _, f := range fields {
			if f.Value == "" && len(f.Values) > 0 {
				f.Value = f.Values[0]
			}
			values[f.CustomID] = f.Value
		}
	}
	return form.CustomID, values, nil
}
