package slack

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"keepwatch"
)

// formCallback marks the forms of Keepwatch.
const formCallback = "keepwatch-form"

// form makes the modal of a button. What it belongs to travels in its private
// metadata: a form that is sent brings no response_url of its own.
func form(button keepwatch.Button, token string, back origin) (slack.ModalViewRequest, error) {
	back.Token = token
	meta, err := json.Marshal(back)
	if err != nil {
		return slack.ModalViewRequest{}, fmt.Errorf("keep where a form came from: %w", err)
	}
	if len(meta) > maxMetadata {
		return slack.ModalViewRequest{}, fmt.Errorf("where a form came from takes %d bytes, and Slack keeps %d", len(meta), maxMetadata)
	}
	f := button.Form
	view := slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: formCallback, PrivateMetadata: string(meta),
		Title: plainText(orElse(clip(line(f.Title), maxModal), "Keepwatch")), Submit: plainText(orElse(clip(line(f.Submit), maxModal), "Send")), Close: plainText("Go back"),
	}
	b := builder{room: maxView - len(f.Fields) - 1, left: maxMessage}
	b.text(clean(f.Text))
	if len(b.blocks) == 0 && len(f.Fields) == 0 {
		b.text("/" + line(button.Command))
	}
	if s := b.omitted(); s != "" {
		b.blocks = append(b.blocks, plainSection(s))
	}
	for i, field := range f.Fields[:min(len(f.Fields), maxView/2)] {
		b.blocks = append(b.blocks, input(i, field))
	}
	view.Blocks.BlockSet = b.blocks
	return view, nil
}

func orElse(text, other string) string {
	if blankText(text) {
		return other
	}
	return text
}

// blockID names the input of a field: by its place, because two fields may
// have one name, and a name may be anything.
func blockID(i int) string { return "field-" + strconv.Itoa(i) }

const inputAction = "value"

// input makes what asks for a field.
func input(i int, field keepwatch.FormField) slack.Block {
	var e slack.BlockElement
	switch {
	case field.Type == keepwatch.FieldDate:
		picker := slack.NewDatePickerBlockElement(inputAction)
		if _, err := time.Parse(time.DateOnly, field.Value); err == nil {
			picker.InitialDate = field.Value
		}
		e = picker
	case field.Type == keepwatch.FieldChoice && len(field.Choices) > 0:
		e = choiceInput(field)
	default:
		text := slack.NewPlainTextInputBlockElement(nil, inputAction)
		text.MaxLength = maxInput
		text.InitialValue, _ = cut(field.Value, maxInput)
		e = text
	}
	var hint *slack.TextBlockObject
	if h := clip(clean(field.Hint), maxLabel); !blankText(h) {
		hint = plainText(h)
	}
	label := orElse(clip(line(field.Label), maxLabel), orElse(line(field.Name), "Value"))
	return slack.NewInputBlock(blockID(i), plainText(label), hint, e).WithOptional(!field.Required)
}

// choiceInput is a select whose values are the places of the choices: a choice
// may be longer than the value of an option.
func choiceInput(field keepwatch.FormField) slack.BlockElement {
	var options []*slack.OptionBlockObject
	var first *slack.OptionBlockObject
	for i, choice := range field.Choices[:min(len(field.Choices), maxOptions*maxGroups)] {
		o := slack.NewOptionBlockObject(strconv.Itoa(i), plainText(orElse(clip(line(choice), maxOption), "–")), nil)
		if choice == field.Value && first == nil {
			first = o
		}
		options = append(options, o)
	}
	if len(options) <= maxOptions {
		s := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plainText("Choose"), inputAction, options...)
		s.InitialOption = first
		return s
	}
	var groups []*slack.OptionGroupBlockObject
	for at := 0; at < len(options); at += maxOptions {
		end := min(at+maxOptions, len(options))
		groups = append(groups, slack.NewOptionGroupBlockElement(plainText(fmt.Sprintf("%d to %d", at+1, end)), options[at:end]...))
	}
	s := slack.NewOptionsGroupSelectBlockElement(slack.OptTypeStatic, plainText("Choose"), inputAction, groups...)
	s.InitialOption = first
	return s
}

// values gives what was filled in, by the names of the fields.
func (s submitted) values(button keepwatch.Button) map[string]string {
	out := map[string]string{}
	if button.Form == nil {
		return out
	}
	for i, field := range button.Form.Fields {
		v := s.State.Values[blockID(i)][inputAction]
		switch {
		case v.Date != "":
			out[field.Name] = v.Date
		case v.Selected.Value != "":
			if at, err := strconv.Atoi(v.Selected.Value); err == nil && at >= 0 && at < len(field.Choices) {
				out[field.Name] = field.Choices[at]
			}
		default:
			out[field.Name] = v.Value
		}
	}
	return out
}

// formRefused keeps a form open with a sentence: below its first field, or in
// place of the question where it has none
// (docs.slack.dev/surfaces/modals, "Displaying errors in views").
func formRefused(s submitted, text string) any {
	if len(s.State.Values) > 0 {
		return map[string]any{"response_action": "errors", "errors": map[string]string{blockID(0): clip(text, maxLabel)}}
	}
	view := slack.ModalViewRequest{
		Type: slack.VTModal, Title: plainText("Keepwatch"), Close: plainText("Close"),
		Blocks: slack.Blocks{BlockSet: []slack.Block{plainSection(text)}},
	}
	return map[string]any{"response_action": "update", "view": view}
}
