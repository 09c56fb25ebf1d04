package box

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"keepwatch/providers/outlook"
)

// itemOf reads an item of a listing.
func itemOf(folder outlook.Folder, raw json.RawMessage) (outlook.Item, error) {
	it := outlook.Item{Folder: folder.ID, Kind: folder.Kind}
	var (
		base entity
		fill func()
		err  error
	)
	switch folder.Kind {
	case outlook.Contacts:
		var c contact
		err = json.Unmarshal(raw, &c)
		base, fill = c.entity, func() { c.fill(&it) }
	case outlook.Calendar:
		var e event
		err = json.Unmarshal(raw, &e)
		base, fill = e.entity, func() { e.fill(&it) }
	default:
		var m message
		err = json.Unmarshal(raw, &m)
		base, fill = m.entity, func() { m.fill(&it) }
	}
	if err != nil { // a member of another type than is documented must not keep a mailbox from being backed up
		var least struct {
			ID        string   `json:"id"`
			ChangeKey string   `json:"changeKey"`
			Removed   *removal `json:"@removed"`
		}
		if least := &least; json.Unmarshal(raw, least) == nil && least.ID != "" {
			base, err = entity{ID: least.ID, ChangeKey: least.ChangeKey, Removed: least.Removed}, nil
		}
	}
	if err == nil && base.ID == "" {
		err = errors.New("it has no id")
	}
	if err != nil {
		return it, fmt.Errorf("an item of %q cannot be read: %w", folder.Title(), err)
	}
	it.ID = base.ID
	if base.Removed != nil {
		if it.Removed = base.Removed.Reason; it.Removed != "changed" {
			it.Removed = "deleted"
		}
		return it, nil
	}
	it.Change, it.Created, it.Modified, it.Categories = base.ChangeKey, base.Created.UTC(), base.Modified.UTC(), base.Categories
	if it.Change == "" && !it.Modified.IsZero() {
		it.Change = it.Modified.Format(time.RFC3339Nano)
	}
	if it.Change == "" { // it says nothing of when it is another one
		sum := sha256.Sum256(raw)
		it.Change = hex.EncodeToString(sum[:16])
	}
	fill()
	if len(raw) <= mostRaw {
		it.Raw = compact(raw)
	}
	return it, nil
}

// compact takes the blanks out of JSON that was read before.
func compact(raw []byte) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return nil
	}
	return b.Bytes()
}

func (m message) fill(it *outlook.Item) {
	it.Subject, it.At, it.Sent, it.MessageID = m.Subject, m.Received.UTC(), m.Sent.UTC(), m.MessageID
	it.Read, it.Draft, it.Attached, it.Importance = m.Read, m.Draft, m.Attached, weight(m.Importance)
	if s := m.Flag.Status; s != "notFlagged" {
		it.Flag = s
	}
	if m.From != nil {
		it.From = m.From.Email.text()
	} else if m.Sender != nil {
		it.From = m.Sender.Email.text()
	}
	for _, p := range m.Extended {
		if n, err := strconv.ParseInt(p.Value, 10, 64); err == nil && isSize(p.ID) {
			it.Size = n
		}
	}
}

// isSize reports whether an extended property is PidTagMessageSize, whichever way its
// number is written ("Integer 0xe08").
func isSize(id string) bool {
	_, tag, _ := strings.Cut(strings.ToLower(id), " 0x")
	return strings.TrimLeft(tag, "0") == "e08"
}

func (c contact) fill(it *outlook.Item) {
	it.Subject, it.At = c.name(), it.Modified
	if len(c.Emails) > 0 {
		it.From = c.Emails[0].Address
	}
}

// name is that under which a contact is listed.
func (c contact) name() string {
	for _, s := range []string{c.DisplayName, strings.TrimSpace(c.Given + " " + c.Surname), c.FileAs, c.Company} {
		if s != "" {
			return s
		}
	}
	if len(c.Emails) > 0 {
		return c.Emails[0].Address
	}
	return ""
}

func (e event) fill(it *outlook.Item) {
	it.Subject, it.At, it.MessageID = e.Subject, e.Start.time().UTC(), e.UID
	it.Attached, it.Importance = e.Attached, weight(e.Importance)
	if e.Organizer != nil {
		it.From = e.Organizer.Email.text()
	}
}

// weight is an importance without the ordinary one.
func weight(importance string) string {
	if importance == "normal" {
		return ""
	}
	return importance
}

// text is an address for people: "Bea <bea@example.com>".
func (a address) text() string {
	if a.Name == "" || strings.EqualFold(a.Name, a.Address) {
		return a.Address
	}
	if a.Address == "" {
		return a.Name
	}
	return a.Name + " <" + a.Address + ">"
}
