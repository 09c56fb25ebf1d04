package graphtest

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Schema is the type metadata of Microsoft Graph (CSDL, the $metadata document).
type Schema struct {
	types map[string]*shape          // by name with namespace
	enums map[string]map[string]bool // members by name with namespace
}

type shape struct {
	base   string
	open   bool
	fields map[string]field
}

type field struct {
	kind     string // "graph.message", "Edm.String"; without Collection()
	many     bool
	required bool
	navigate bool
}

// csdl is as much of the document as is looked at.
type csdl struct {
	Schemas []struct {
		Namespace string     `xml:"Namespace,attr"`
		Alias     string     `xml:"Alias,attr"`
		Enums     []csdlEnum `xml:"EnumType"`
		Entities  []csdlType `xml:"EntityType"`
		Complex   []csdlType `xml:"ComplexType"`
	} `xml:"DataServices>Schema"`
}

type csdlEnum struct {
	Name    string `xml:"Name,attr"`
	Members []struct {
		Name string `xml:"Name,attr"`
	} `xml:"Member"`
}

type csdlType struct {
	Name       string         `xml:"Name,attr"`
	Base       string         `xml:"BaseType,attr"`
	Open       bool           `xml:"OpenType,attr"`
	Properties []csdlProperty `xml:"Property"`
	Navigation []csdlProperty `xml:"NavigationProperty"`
}

type csdlProperty struct {
	Name     string `xml:"Name,attr"`
	Type     string `xml:"Type,attr"`
	Nullable string `xml:"Nullable,attr"`
}

// ReadSchema reads a $metadata document.
func ReadSchema(path string) (*Schema, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read metadata: %w", err)
	}
	var doc csdl
	if err := xml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("read metadata %s: %w", path, err)
	}
	s := &Schema{types: map[string]*shape{}, enums: map[string]map[string]bool{}}
	for _, part := range doc.Schemas {
		space := part.Namespace + "."
		for _, e := range part.Enums {
			members := map[string]bool{}
			for _, m := range e.Members {
				members[m.Name] = true
			}
			s.enums[space+e.Name] = members
		}
		for _, t := range append(part.Entities, part.Complex...) {
			s.types[space+t.Name] = t.shape(space)
		}
	}
	return s, nil
}

func (t csdlType) shape(space string) *shape {
	full := func(kind string) string {
		if rest, ok := strings.CutPrefix(kind, "self."); ok { // the alias of the namespace that it stands in
			return space + rest
		}
		return full(kind)
	}
	out := &shape{base: full(t.Base), open: t.Open, fields: map[string]field{}}
	add := func(all []csdlProperty, navigate bool) {
		for _, p := range all {
			kind, many := strings.CutPrefix(p.Type, "Collection(")
			out.fields[p.Name] = field{kind: full(strings.TrimSuffix(kind, ")")), many: many, required: p.Nullable == "false", navigate: navigate}
		}
	}
	add(t.Properties, false)
	add(t.Navigation, true)
	return out
}

// full writes the alias of the namespace out.
func full(kind string) string {
	if rest, ok := strings.CutPrefix(kind, "graph."); ok {
		return "microsoft.graph." + rest
	}
	return kind
}

func (s *Schema) field(kind, property string) (field, bool) {
	for kind != "" && s.types[kind] != nil {
		if f, ok := s.types[kind].fields[property]; ok {
			return f, true
		}
		kind = s.types[kind].base
	}
	return field{}, false
}

// is tells whether a type is another one or is derived from it.
func (s *Schema) is(kind, of string) bool {
	for ; kind != "" && s.types[kind] != nil; kind = s.types[kind].base {
		if kind == of {
			return true
		}
	}
	return false
}

// Check compares JSON with a type of the namespace microsoft.graph, as in "message", and
// gives what is wrong: properties that the type does not have, values of another type,
// names that an enumeration does not have. That a type is an open one excuses nothing.
func (s *Schema) Check(kind string, data []byte) []string {
	var v any
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return []string{kind + ": " + err.Error()}
	}
	return s.value(kind, full("graph."+kind), v)
}

// CheckList does it with each of the "value" of an answer.
func (s *Schema) CheckList(kind string, data []byte) []string {
	var v struct {
		Value []json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(data, &v); err != nil || v.Value == nil {
		return []string{kind + ": no list of values"}
	}
	var out []string
	for _, x := range v.Value {
		out = append(out, s.Check(kind, x)...)
	}
	return out
}

func (s *Schema) value(where, kind string, v any) []string {
	if members, ok := s.enums[kind]; ok {
		text, isText := v.(string)
		for m := range strings.SplitSeq(text, ",") {
			if !isText || !members[m] {
				return []string{fmt.Sprintf("%s: %v is none of %s", where, v, kind)}
			}
		}
		return nil
	}
	if strings.HasPrefix(kind, "Edm.") {
		if !primitive(kind, v) {
			return []string{fmt.Sprintf("%s: %v is no %s", where, v, kind)}
		}
		return nil
	}
	object, ok := v.(map[string]any)
	if !ok || s.types[kind] == nil {
		return []string{fmt.Sprintf("%s: %v is no %s", where, v, kind)}
	}
	return s.object(where, kind, object)
}

func (s *Schema) object(where, kind string, object map[string]any) []string {
	var out []string
	if named, ok := object["@odata.type"].(string); ok {
		derived := strings.TrimPrefix(named, "#")
		if !s.is(derived, kind) {
			return []string{fmt.Sprintf("%s: %s is no %s", where, named, kind)}
		}
		kind = derived
	}
	for key, v := range object {
		if strings.Contains(key, "@") {
			out = append(out, annotation(where, key)...)
			continue
		}
		f, ok := s.field(kind, key)
		if !ok {
			out = append(out, fmt.Sprintf("%s: %s has no %s", where, kind, key))
			continue
		}
		at := where + "." + key
		all, many := v.([]any)
		switch {
		case v == nil && (f.required || f.many && !f.navigate):
			out = append(out, at+": null is not allowed")
		case v == nil:
		case many != f.many:
			out = append(out, at+": a list or not")
		case many:
			for _, x := range all {
				out = append(out, s.value(at, f.kind, x)...)
			}
		default:
			out = append(out, s.value(at, f.kind, v)...)
		}
	}
	slices.Sort(out)
	return out
}

func annotation(where, key string) []string {
	_, control, _ := strings.Cut(key, "@")
	known := []string{"odata.context", "odata.type", "odata.etag", "odata.id", "odata.mediaContentType", "odata.nextLink", "odata.deltaLink", "odata.count", "odata.associationLink", "odata.navigationLink", "removed"}
	if slices.Contains(known, control) {
		return nil
	}
	return []string{where + ": annotation " + key}
}

var (
	guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	day  = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	hour = regexp.MustCompile(`^\d\d:\d\d:\d\d(\.\d+)?$`)
)

// primitive tells whether a value is one of a type of OData's.
func primitive(kind string, v any) bool {
	switch kind {
	case "Edm.Boolean":
		_, ok := v.(bool)
		return ok
	case "Edm.Int16", "Edm.Int32", "Edm.Int64", "Edm.Byte":
		n, ok := v.(json.Number)
		return ok && !strings.ContainsAny(n.String(), ".eE")
	case "Edm.Double", "Edm.Single", "Edm.Decimal":
		_, ok := v.(json.Number)
		return ok
	}
	text, ok := v.(string)
	if !ok {
		return false
	}
	switch kind {
	case "Edm.DateTimeOffset":
		_, err := time.Parse(time.RFC3339Nano, text)
		return err == nil
	case "Edm.Date":
		return day.MatchString(text)
	case "Edm.TimeOfDay":
		return hour.MatchString(text)
	case "Edm.Guid":
		return guid.MatchString(text)
	case "Edm.Binary":
		_, err := base64.StdEncoding.DecodeString(text)
		return err == nil
	}
	return true
}

// judge checks an answer; the tenant's lock is held.
func (n *Tenant) judge(a answer, data []byte) {
	check := n.opts.Schema.Check
	if a.many {
		check = n.opts.Schema.CheckList
	}
	n.bad = append(n.bad, check(a.shape, data)...)
}
