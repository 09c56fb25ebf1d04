package box

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
	"keepwatch/pst/pim"
)

// mostPhoto is how large a picture of a contact may be; Outlook makes them a few kilobytes.
const mostPhoto = 4 << 20

// contact gives a contact as a vCard. Listings have all of it but the picture.
func (b *Box) contact(ctx context.Context, mailbox string, item outlook.Item, t *turn) (outlook.Content, error) {
	out := outlook.Content{Form: outlook.VCF, Item: item}
	raw := item.Raw
	if len(raw) == 0 {
		h, err := b.readItem(ctx, mailbox, of(mailbox, "contacts", item.ID), longNotes, t)
		if err != nil {
			return outlook.Content{}, give(b.itemError(ctx, mailbox, item, err), err)
		}
		out.Notes = h.tidy()
		raw, out.Item.Raw = h.raw, h.whole()
	}
	var c contact
	if err := json.Unmarshal(raw, &c); err != nil {
		return outlook.Content{}, unreadable(err)
	}
	card := c.card()
	card.UID = item.ID
	var err error
	if card.Photo, err = b.photo(ctx, mailbox, item, t); err != nil {
		if fate := b.itemError(ctx, mailbox, item, err); !errors.Is(err, graph.ErrTooLarge) && !errors.Is(fate, outlook.ErrPoison) {
			return outlook.Content{}, give(fate, err)
		}
		out.Notes = append(out.Notes, "Its picture is not in it ("+why(err)+")")
	}
	var text bytes.Buffer
	if err := card.Card(&text); err != nil {
		return outlook.Content{}, unreadable(err)
	}
	out.Body = io.NopCloser(&text)
	return out, nil
}

// photo gives the picture, nil where there is none, which Graph says with 404.
func (b *Box) photo(ctx context.Context, mailbox string, item outlook.Item, t *turn) ([]byte, error) {
	picture, err := b.photoOf(ctx, mailbox, item, smallItem)
	if len(picture) <= smallItem || err != nil {
		return picture, err
	}
	if err := t.large(ctx); err != nil {
		return nil, err
	}
	return b.photoOf(ctx, mailbox, item, mostPhoto)
}

// photoOf reads so much of it, and one byte more if there is.
func (b *Box) photoOf(ctx context.Context, mailbox string, item outlook.Item, most int64) ([]byte, error) {
	r, err := b.client.Do(ctx, mailbox, graph.Request{URL: of(mailbox, "contacts", item.ID) + "/photo/$value", Limit: mostPhoto})
	if gone(err) || has(err, "ErrorNoPhoto") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	return io.ReadAll(io.LimitReader(r.Body, most+1))
}

// card makes of the JSON what a vCard is written of. What it has no place for stands below
// the notes, in words.
func (c contact) card() *pim.Contact {
	out := &pim.Contact{
		Prefix: c.Title, Given: c.Given, Middle: c.Middle, Surname: c.Surname, Suffix: c.Generation, Nickname: c.Nickname,
		DisplayName: c.name(), FileAs: c.FileAs, Initials: c.Initials, GivenPhonetic: c.YomiGiven, SurnamePhonetic: c.YomiSurname,
		Company: c.Company, CompanyPhonetic: c.YomiCompany, Department: c.Department, Title: c.JobTitle, Profession: c.Profession, Office: c.Office,
		Manager: c.Manager, Assistant: c.Assistant, Spouse: c.Spouse, Children: c.Children, WorkPage: c.HomePage,
		Work: c.Business.address(), Home: c.Home.address(), Other: c.Other.address(),
		Phones: map[pim.PhoneKind]string{}, Categories: c.Categories, Created: c.Created.UTC(), Modified: c.Modified.UTC(),
	}
	var more []string
	add := func(label, value string) { more = append(more, label+": "+value) }
	for i, e := range c.Emails {
		if i < len(out.Emails) {
			out.Emails[i] = pim.Email{Name: e.Name, Address: e.Address}
			continue
		}
		add("E-mail", e.text())
	}
	phones := func(label string, numbers []string, kinds ...pim.PhoneKind) {
		for i, n := range numbers {
			if i < len(kinds) {
				out.Phones[kinds[i]] = n
				continue
			}
			add(label, n)
		}
	}
	phones("Business phone", c.BusinessPhones, pim.PhoneWork, pim.PhoneWork2)
	phones("Home phone", c.HomePhones, pim.PhoneHome, pim.PhoneHome2)
	if c.Mobile != "" {
		out.Phones[pim.PhoneMobile] = c.Mobile
	}
	for i, im := range c.IM {
		if i == 0 {
			out.IM = im
			continue
		}
		add("Instant messages", im)
	}
	if !c.Birthday.IsZero() { // a day, which Exchange keeps as 11:59 UTC of it
		day := c.Birthday.UTC()
		out.Birthday = pim.Date{Year: day.Year(), Month: day.Month(), Day: day.Day()}
	}
	out.Notes = strings.ReplaceAll(c.Notes, "\r\n", "\n")
	if len(more) > 0 {
		out.Notes = strings.TrimLeft(out.Notes+"\n\n"+strings.Join(more, "\n"), "\n")
	}
	return out
}

func (p physical) address() pim.Address {
	return pim.Address{Street: strings.ReplaceAll(p.Street, "\r\n", "\n"), City: p.City, State: p.State, PostalCode: p.PostalCode, Country: p.Country}
}
