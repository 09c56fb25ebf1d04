package putback

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
	"keepwatch/pst/pim"
)

// mostCard and mostCalendar are how long a file may be that is read in memory.
const (
	mostCard     = 16 << 20
	mostCalendar = 12 << 20
)

// contactFields are the properties of a contact that can be written
// (learn.microsoft.com/graph/api/user-post-contacts).
var contactFields = []string{
	"assistantName", "birthday", "businessAddress", "businessHomePage", "businessPhones", "categories", "children", "companyName", "department", "displayName", "emailAddresses", "fileAs",
	"generation", "givenName", "homeAddress", "homePhones", "imAddresses", "initials", "jobTitle", "manager", "middleName", "mobilePhone", "nickName", "officeLocation", "otherAddress",
	"personalNotes", "profession", "spouseName", "surname", "title", "yomiCompanyName", "yomiGivenName", "yomiSurname",
}

// putContact makes a contact, and gives it its picture.
func (t target) putContact(ctx context.Context, item outlook.Item, content io.ReaderAt, size int64) (outlook.Restored, error) {
	var notes []string
	card, err := readCard(content, size)
	if err != nil {
		notes = append(notes, "its file cannot be read as a vCard, and what only that says is missing")
	}
	fields := chosen(item.Raw, contactFields)
	switch {
	case len(fields) == 0 && card == nil:
		return outlook.Restored{}, keepwatch.Errorf(keepwatch.KindInvalid, "The contact cannot be read from its file. It stays in the archive.").Because(poison(err))
	case len(fields) == 0:
		fields = ofCard(card, &notes)
	}
	mark, picture := t.marked(whole), []byte(nil)
	if card != nil && len(card.Photo) > 0 {
		mark, picture = t.marked(parts), card.Photo
	}
	fields["singleValueExtendedProperties"] = []property{mark}
	body, err := json.Marshal(fields)
	if err != nil {
		return outlook.Restored{}, fmt.Errorf("write the contact: %w", err)
	}
	id, err := t.create(ctx, body)
	if err != nil || picture == nil {
		return t.end(id, notes, err)
	}
	call := graph.Request{Method: http.MethodPut, URL: t.path(id) + "/photo/$value", Body: picture, ContentType: http.DetectContentType(picture)}
	if err := t.r.client.JSON(ctx, t.mailbox, call, nil); err != nil {
		if !refused(err) {
			return outlook.Restored{}, err
		}
		notes = append(notes, "Microsoft 365 does not take its picture")
	}
	return t.end(id, notes, t.close(ctx, id))
}

func (t target) end(id string, notes []string, err error) (outlook.Restored, error) {
	if err != nil {
		return outlook.Restored{}, err
	}
	return t.finish(id, notes), nil
}

// chosen takes those fields of a JSON object that are named and have a value.
func chosen(raw json.RawMessage, names []string) map[string]any {
	var all map[string]any
	if len(raw) == 0 || json.Unmarshal(raw, &all) != nil {
		return nil
	}
	out := map[string]any{}
	for k, v := range all {
		if slices.Contains(names, k) && !empty(v) {
			out[k] = bare(v)
		}
	}
	return out
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// bare takes annotations and what is null out of a value.
func bare(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			if x != nil && !strings.Contains(k, "@odata.") {
				out[k] = bare(x)
			}
		}
		return out
	case []any:
		out := []any{}
		for _, x := range v {
			out = append(out, bare(x))
		}
		return out
	}
	return v
}

func readCard(content io.ReaderAt, size int64) (*pim.Contact, error) {
	if size > mostCard {
		return nil, fmt.Errorf("the vCard has %d bytes", size)
	}
	raw, err := io.ReadAll(io.NewSectionReader(content, 0, size))
	if err != nil {
		return nil, err
	}
	for c, err := range pim.ReadCards(bytes.NewReader(raw)) {
		if c != nil || err != nil {
			return c, err
		}
	}
	return nil, fmt.Errorf("the vCard is empty")
}

// numbers are the telephone numbers that a contact of Graph has no field for, and how its
// notes call them.
var numbers = []struct {
	kind pim.PhoneKind
	name string
}{
	{pim.PhonePrimary, "Primary phone"}, {pim.PhoneOther, "Other phone"}, {pim.PhoneCar, "Car phone"}, {pim.PhonePager, "Pager"}, {pim.PhoneRadio, "Radio phone"}, {pim.PhoneISDN, "ISDN"},
	{pim.PhoneTelex, "Telex"}, {pim.PhoneAssistant, "Assistant's phone"}, {pim.PhoneCallback, "Callback"}, {pim.PhoneCompany, "Company phone"}, {pim.PhoneText, "Text telephone"},
	{pim.FaxWork, "Business fax"}, {pim.FaxHome, "Home fax"}, {pim.FaxPrimary, "Primary fax"},
}

// ofCard is a contact that was read from a vCard. What Graph has no field for stands at
// the end of the notes.
func ofCard(c *pim.Contact, notes *[]string) map[string]any {
	out := map[string]any{}
	for k, v := range map[string]string{
		"displayName": c.DisplayName, "fileAs": c.FileAs, "givenName": c.Given, "middleName": c.Middle, "surname": c.Surname, "title": c.Prefix, "generation": c.Suffix, "nickName": c.Nickname,
		"initials": c.Initials, "yomiGivenName": c.GivenPhonetic, "yomiSurname": c.SurnamePhonetic, "yomiCompanyName": c.CompanyPhonetic, "companyName": c.Company, "department": c.Department,
		"jobTitle": c.Title, "profession": c.Profession, "officeLocation": c.Office, "manager": c.Manager, "assistantName": c.Assistant, "spouseName": c.Spouse,
		"mobilePhone": c.Phones[pim.PhoneMobile], "businessHomePage": c.WorkPage,
	} {
		if v != "" {
			out[k] = v
		}
	}
	texts := func(field string, all ...string) {
		if all = slices.DeleteFunc(all, func(s string) bool { return s == "" }); len(all) > 0 {
			out[field] = all
		}
	}
	texts("businessPhones", c.Phones[pim.PhoneWork], c.Phones[pim.PhoneWork2])
	texts("homePhones", c.Phones[pim.PhoneHome], c.Phones[pim.PhoneHome2])
	texts("imAddresses", c.IM)
	texts("children", slices.Clone(c.Children)...)
	texts("categories", slices.Clone(c.Categories)...)
	emails := []any{}
	for _, e := range c.Emails {
		if e.Address != "" {
			emails = append(emails, map[string]string{"address": e.Address, "name": named(e.Name, named(c.DisplayName, e.Address))})
		}
	}
	if len(emails) > 0 {
		out["emailAddresses"] = emails
	}
	for field, a := range map[string]pim.Address{"homeAddress": c.Home, "businessAddress": c.Work, "otherAddress": c.Other} {
		if p := postal(a); len(p) > 0 {
			out[field] = p
		}
	}
	if d := c.Birthday; d.Year > 0 { // Outlook gives the day at 11:59 UTC
		out["birthday"] = time.Date(d.Year, d.Month, d.Day, 11, 59, 0, 0, time.UTC).Format(time.RFC3339)
	}
	text := strings.TrimSpace(strings.Join(append([]string{c.Notes}, others(c, notes)...), "\n"))
	if text != "" {
		out["personalNotes"] = strings.ReplaceAll(text, "\n", "\r\n")
	}
	return out
}

// others are lines of what Graph has no field for.
func others(c *pim.Contact, notes *[]string) (all []string) {
	say := func(name, value string) {
		if value != "" {
			all = append(all, name+": "+value)
		}
	}
	if d := c.Birthday; d.Year == 0 && !d.IsZero() {
		say("Birthday", fmt.Sprintf("%d %s", d.Day, d.Month))
	}
	for _, n := range numbers {
		say(n.name, c.Phones[n.kind])
	}
	say("Home page", c.HomePage)
	say("Referred by", c.ReferredBy)
	say("Hobbies", c.Hobbies)
	if d := c.Anniversary; !d.IsZero() {
		say("Anniversary", fmt.Sprintf("%d %s %d", d.Day, d.Month, d.Year))
	}
	if c.Group {
		*notes = append(*notes, "Graph cannot make groups: it is a contact whose notes name its members")
		for _, m := range c.Members {
			say("Member", strings.TrimSpace(m.Name+" <"+m.Address+">"))
		}
	}
	return all
}

func postal(a pim.Address) map[string]string {
	out := map[string]string{}
	for k, v := range map[string]string{"street": a.Street, "city": a.City, "state": a.State, "postalCode": a.PostalCode, "countryOrRegion": a.Country} {
		if v != "" {
			out[k] = v
		}
	}
	return out
}

func named(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	return name
}
