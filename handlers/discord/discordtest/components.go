package discordtest

import (
	"fmt"
	"maps"
	"strconv"
)

// Types of components, https://discord.com/developers/docs/components/reference.
const (
	compRow         = 1
	compButton      = 2
	compSelect      = 3
	compTextInput   = 4
	compUserSelect  = 5
	compChannelSel  = 8
	compSection     = 9
	compTextDisplay = 10
	compThumbnail   = 11
	compGallery     = 12
	compFile        = 13
	compSeparator   = 14
	compContainer   = 17
	compLabel       = 18
	styleLink       = 5
	stylePremium    = 6
)

// components checks those of a message.
func (f *formErrors) components(path string, all []any, v2 bool) {
	seen, count := map[string]bool{}, 0
	if !v2 && len(all) > maxRows {
		f.tooLong(path, maxRows)
	}
	for i, v := range all {
		at := path + "." + strconv.Itoa(i)
		if kind := integer(asObject(v)["type"]); !v2 && kind != compRow {
			f.add(at+".type", "UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (1,).")
			continue
		}
		f.component(at, asObject(v), seen, &count)
	}
	if count > maxComponents {
		f.add(path, "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", fmt.Sprintf("The total number of components cannot exceed %d", maxComponents))
	}
}

func (f *formErrors) component(path string, c object, seen map[string]bool, count *int) {
	*count++
	switch kind := integer(c["type"]); kind {
	case compRow:
		f.row(path, array(c["components"]), seen, count)
	case compButton:
		f.button(path, c, seen)
	case compSelect, compUserSelect, 6, 7, compChannelSel:
		f.selectMenu(path, c, seen)
	case compTextDisplay:
		f.text(path+".content", c["content"], 1, maxTextDisplay)
	case compSection:
		f.children(path+".components", array(c["components"]), 1, 3, seen, count)
		f.component(path+".accessory", asObject(c["accessory"]), seen, count)
	case compContainer:
		f.children(path+".components", array(c["components"]), 1, maxComponents, seen, count)
	case compThumbnail, compGallery, compFile, compSeparator:
	default:
		f.add(path+".type", "UNION_TYPE_CHOICES", fmt.Sprintf("Value of field \"type\" must be one of the known ones, not %d.", kind))
	}
}

func (f *formErrors) children(path string, all []any, least, most int, seen map[string]bool, count *int) {
	if len(all) < least || len(all) > most {
		f.badLength(path, least, most)
	}
	for i, v := range all {
		f.component(path+"."+strconv.Itoa(i), asObject(v), seen, count)
	}
}

func (f *formErrors) row(path string, inside []any, seen map[string]bool, count *int) {
	if len(inside) < 1 || len(inside) > maxRowButtons {
		f.badLength(path+".components", 1, maxRowButtons)
	}
	for i, v := range inside {
		c, at := asObject(v), fmt.Sprintf("%s.components.%d", path, i)
		kind := integer(c["type"])
		if kind != compButton && kind != compSelect && (kind < compUserSelect || kind > compChannelSel) {
			f.add(at+".type", "UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (2, 3, 5, 6, 7, 8).")
			continue
		}
		if kind != compButton && len(inside) > 1 {
			f.add(path, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width")
		}
		f.component(at, c, seen, count)
	}
}

func (f *formErrors) customID(path string, v any, seen map[string]bool) {
	id := f.text(path+".custom_id", v, 1, 100)
	if id != "" && seen[id] {
		f.add(path+".custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
	}
	seen[id] = true
}

func (f *formErrors) button(path string, c object, seen map[string]bool) {
	style := integer(c["style"])
	if style < 1 || style > stylePremium {
		f.add(path+".style", "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3, 4, 5, 6).")
	}
	f.text(path+".label", c["label"], 0, 80)
	label, _ := c["label"].(string)
	switch {
	case style == styleLink:
		if u, _ := c["url"].(string); !webAddress(u) {
			f.add(path+".url", "URL_TYPE_INVALID_URL", "Not a well formed URL.")
		}
		if c["custom_id"] != nil {
			f.add(path, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", "A custom id and url cannot both be specified")
		}
	case style != stylePremium:
		f.customID(path, c["custom_id"], seen)
	}
	if label == "" && c["emoji"] == nil && style != stylePremium {
		f.add(path, "BUTTON_COMPONENT_INVALID_EMOJI_OR_LABEL", "A button must have a label or an emoji")
	}
}

func (f *formErrors) selectMenu(path string, c object, seen map[string]bool) {
	f.customID(path, c["custom_id"], seen)
	f.text(path+".placeholder", c["placeholder"], 0, 150)
	if integer(c["type"]) != compSelect {
		return
	}
	options := array(c["options"])
	if len(options) < 1 || len(options) > 25 {
		f.badLength(path+".options", 1, 25)
	}
	values := map[string]bool{}
	for i, v := range options {
		o, at := asObject(v), fmt.Sprintf("%s.options.%d", path, i)
		f.text(at+".label", o["label"], 1, 100)
		f.text(at+".description", o["description"], 0, 100)
		value := f.text(at+".value", o["value"], 1, 100)
		if value != "" && values[value] {
			f.add(at+".value", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The specified option value is already used")
		}
		values[value] = true
	}
	least, most := selectRange(c)
	if least > 25 || most < 1 || most > max(1, len(options)) || least > most {
		f.add(path+".max_values", "SELECT_COMPONENT_MAX_VALUES_INVALID", "The number of values must fit the options")
	}
}

func selectRange(c object) (least, most int) {
	least, most = 1, 1
	if v, named := c["min_values"]; named && v != nil {
		least = integer(v)
	}
	if v, named := c["max_values"]; named && v != nil {
		most = integer(v)
	}
	return least, most
}

// modal checks a modal, https://discord.com/developers/docs/interactions/receiving-and-responding.
// Text inputs belong in labels; those in rows are deprecated but still taken.
func (f *formErrors) modal(data object) {
	f.text("data.title", data["title"], 1, 45)
	f.text("data.custom_id", data["custom_id"], 1, 100)
	all := array(data["components"])
	if len(all) < 1 || len(all) > 5 {
		f.badLength("data.components", 1, 5)
	}
	seen := map[string]bool{}
	for i, v := range all {
		c, path := asObject(v), fmt.Sprintf("data.components.%d", i)
		switch integer(c["type"]) {
		case compLabel:
			f.text(path+".label", c["label"], 1, 45)
			f.text(path+".description", c["description"], 0, 100)
			f.input(path+".component", asObject(c["component"]), seen, false)
		case compRow:
			inside := array(c["components"])
			if len(inside) != 1 {
				f.badLength(path+".components", 1, 1)
				continue
			}
			f.input(path+".components.0", asObject(inside[0]), seen, true)
		case compTextDisplay:
			f.text(path+".content", c["content"], 1, maxTextDisplay)
		default:
			f.add(path+".type", "UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (1, 10, 18).")
		}
	}
}

func (f *formErrors) input(path string, c object, seen map[string]bool, inRow bool) {
	switch kind := integer(c["type"]); {
	case kind == compTextInput:
		f.customID(path, c["custom_id"], seen)
		if style := integer(c["style"]); style != 1 && style != 2 {
			f.add(path+".style", "BASE_TYPE_CHOICES", "Value must be one of (1, 2).")
		}
		if inRow {
			f.text(path+".label", c["label"], 1, 45)
		}
		f.text(path+".placeholder", c["placeholder"], 0, 100)
		f.text(path+".value", c["value"], 0, 4000)
	case !inRow && (kind == compSelect || kind >= compUserSelect && kind <= compChannelSel):
		f.selectMenu(path, c, seen)
	case !inRow && kind >= 19 && kind <= 23:
		f.customID(path, c["custom_id"], seen)
	default:
		f.add(path+".type", "UNION_TYPE_CHOICES", "Value of field \"type\" does not fit here.")
	}
}

// componentDefaults are what Discord adds where the bot leaves it out.
func componentDefaults(kind int) object {
	switch {
	case kind == compSelect || kind >= compUserSelect && kind <= compChannelSel:
		return object{"min_values": 1.0, "max_values": 1.0}
	case kind == compContainer:
		return object{"accent_color": nil, "spoiler": false}
	case kind == compSeparator:
		return object{"spacing": 1.0, "divider": true}
	}
	return nil
}

// finishedComponents are components as they come back: each with an id, in order.
func finishedComponents(v any, n *int) any {
	switch v := v.(type) {
	case []any:
		out := []any{}
		for _, c := range v {
			out = append(out, finishedComponents(c, n))
		}
		return out
	case object:
		out := object{}
		if v["type"] != nil {
			*n++
			out["id"] = float64(*n)
		}
		maps.Copy(out, componentDefaults(integer(v["type"])))
		for _, k := range sortedKeys(v) {
			switch {
			case v[k] == nil:
			case k == "components" || k == "accessory" || k == "component":
				out[k] = finishedComponents(v[k], n)
			default:
				out[k] = v[k]
			}
		}
		return out
	}
	return v
}
