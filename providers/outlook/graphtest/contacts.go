package graphtest

import (
	"strings"
	"time"
)

// contactFolders answers what is below /users/{id}/contactFolders. The default folder is
// in no list; its id and its well-known name are taken.
func (c *call) contactFolders(rest []string) answer {
	if !c.may("Contacts.Read", "Contacts.ReadWrite") {
		return denied()
	}
	if c.r.Method != "GET" {
		return c.badMethod()
	}
	root := c.box.known["contacts"]
	switch {
	case len(rest) == 0:
		return c.folders(root.children, c.contactFolder, "contactFolder")
	case strings.EqualFold(rest[0], "delta"):
		return c.delta(c.folderFeed("contactFolder", c.box.books, c.contactFolder))
	}
	f := c.box.findFolder(rest[0], kindContact)
	if f == nil && isDelta(rest) {
		f = c.box.goneFolder(rest[0])
	}
	switch {
	case f == nil:
		return notFound()
	case len(rest) == 1:
		return c.entity(c.contactFolder(f), "contactFolder")
	case strings.EqualFold(rest[1], "childFolders") && len(rest) == 2:
		return c.folders(f.children, c.contactFolder, "contactFolder")
	case strings.EqualFold(rest[1], "contacts"):
		return c.contacts(f, rest[2:])
	}
	return c.noSegment(rest[1])
}

func (c *call) contactFolder(f *Folder) map[string]any {
	out := map[string]any{"id": f.id(), "displayName": f.name, "parentFolderId": nil}
	if f.parent != nil {
		out["parentFolderId"] = f.parent.id()
	}
	return out
}

// contacts answers what is below a folder's contacts.
func (c *call) contacts(f *Folder, rest []string) answer {
	if !c.may("Contacts.Read", "Contacts.ReadWrite") {
		return denied()
	}
	if c.r.Method != "GET" {
		return c.badMethod()
	}
	render := func(i *Item) (map[string]any, *failure) { return c.contact(i), nil }
	switch {
	case len(rest) == 0:
		all, bad := c.kept(f.items, kindContact)
		if bad != nil {
			return answer{fail: bad}
		}
		return c.list(len(all), "contact", 10, func(n int) (map[string]any, *failure) { return render(all[n]) })
	case strings.EqualFold(rest[0], "delta"):
		return c.delta(c.itemFeed(f, "contact", render))
	}
	i := c.box.find(rest[0])
	if i == nil || i.kind != kindContact {
		return notFound()
	}
	if bad := i.hurt(func(p *Poison) bool { return p.Read }); bad != nil {
		return answer{fail: bad}
	}
	switch {
	case len(rest) == 1:
		return c.entity(c.contact(i), "contact")
	case strings.EqualFold(strings.Join(rest[1:], "/"), "photo/$value"):
		if i.contact.Photo == nil {
			return fail(404, "ImageNotFound", "Exception of type 'Microsoft.Fast.Profile.Core.Exception.ImageNotFoundException' was thrown.")
		}
		return answer{raw: i.contact.Photo, media: "image/jpeg"}
	}
	return c.noSegment(rest[1])
}

func (c *call) contact(i *Item) map[string]any {
	x := i.contact
	display := either(x.DisplayName, strings.TrimSpace(x.GivenName+" "+x.Surname))
	emails := []any{}
	for _, a := range x.Emails {
		emails = append(emails, map[string]any{"name": either(a.Name, a.Address), "address": a.Address})
	}
	out := map[string]any{
		"@odata.etag": `W/"` + i.changeKey() + `"`, "id": i.id(c.q.immutable), "changeKey": i.changeKey(), "createdDateTime": stamp(i.created), "lastModifiedDateTime": stamp(i.changed), "parentFolderId": i.at.id(),
		"categories": list(x.Categories), "displayName": display, "fileAs": fileAs(x), "givenName": null(x.GivenName), "surname": null(x.Surname), "middleName": null(x.MiddleName), "nickName": null(x.NickName), "title": null(x.Title),
		"initials": nil, "generation": nil, "yomiGivenName": nil, "yomiSurname": nil, "yomiCompanyName": nil,
		"companyName": null(x.Company), "department": null(x.Department), "jobTitle": null(x.JobTitle), "officeLocation": null(x.Office), "profession": null(x.Profession), "manager": null(x.Manager), "assistantName": null(x.Assistant), "spouseName": null(x.Spouse),
		"businessHomePage": null(x.HomePage), "imAddresses": list(x.IM), "children": list(x.Children), "personalNotes": x.Notes, "emailAddresses": emails,
		"businessPhones": list(x.BusinessPhones), "homePhones": list(x.HomePhones), "mobilePhone": null(x.MobilePhone), "birthday": nil,
		"businessAddress": postal(x.Business), "homeAddress": postal(x.Home), "otherAddress": postal(x.Other),
	}
	if !x.Birthday.IsZero() { // Outlook gives the day at 11:59 UTC
		out["birthday"] = stamp(x.Birthday.UTC().Truncate(24 * time.Hour).Add(11*time.Hour + 59*time.Minute))
	}
	return c.expandMarks(i, out)
}

func fileAs(x *Contact) string {
	if x.Surname == "" || x.GivenName == "" {
		return x.Surname + x.GivenName
	}
	return x.Surname + ", " + x.GivenName
}

func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func postal(p Postal) map[string]any {
	out := map[string]any{}
	for k, v := range map[string]string{"street": p.Street, "city": p.City, "state": p.State, "postalCode": p.PostalCode, "countryOrRegion": p.Country} {
		if v != "" {
			out[k] = v
		}
	}
	return out
}
