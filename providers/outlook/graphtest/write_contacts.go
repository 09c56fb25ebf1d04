package graphtest

import (
	"encoding/json"
	"time"
)

// wireContact is what of a contact can be written.
type wireContact struct {
	Given      *string        `json:"givenName"`
	Surname    *string        `json:"surname"`
	Middle     *string        `json:"middleName"`
	Nick       *string        `json:"nickName"`
	Title      *string        `json:"title"`
	Display    *string        `json:"displayName"`
	Company    *string        `json:"companyName"`
	Department *string        `json:"department"`
	Job        *string        `json:"jobTitle"`
	Office     *string        `json:"officeLocation"`
	Emails     []wireEmail    `json:"emailAddresses"`
	Work       []string       `json:"businessPhones"`
	HomePhones []string       `json:"homePhones"`
	Mobile     *string        `json:"mobilePhone"`
	Business   *wirePostal    `json:"businessAddress"`
	Home       *wirePostal    `json:"homeAddress"`
	Other      *wirePostal    `json:"otherAddress"`
	Birthday   *time.Time     `json:"birthday"`
	Notes      *string        `json:"personalNotes"`
	Categories []string       `json:"categories"`
	HomePage   *string        `json:"businessHomePage"`
	IM         []string       `json:"imAddresses"`
	Children   []string       `json:"children"`
	Spouse     *string        `json:"spouseName"`
	Assistant  *string        `json:"assistantName"`
	Manager    *string        `json:"manager"`
	Profession *string        `json:"profession"`
	Properties []wireProperty `json:"singleValueExtendedProperties"`
}

type wireEmail struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

type wirePostal struct {
	Street     string `json:"street"`
	City       string `json:"city"`
	State      string `json:"state"`
	PostalCode string `json:"postalCode"`
	Country    string `json:"countryOrRegion"`
}

// postContact makes a contact.
func (c *call) postContact(f *Folder) answer {
	i := &Item{contact: &Contact{}}
	if bad := c.fillContact(i); bad != nil {
		return answer{fail: bad}
	}
	a := c.entity(c.contact(f.add(i)), "contact")
	a.status = 201
	return a
}

func (c *call) patchContact(i *Item) answer {
	if bad := c.fillContact(i); bad != nil {
		return answer{fail: bad}
	}
	i.touch(true)
	return c.entity(c.contact(i), "contact")
}

// readOnly are properties that Graph does not take in a request.
var readOnly = []string{"id", "changeKey", "createdDateTime", "lastModifiedDateTime", "parentFolderId", "webLink", "iCalUId", "type", "isOrganizer", "isCancelled", "isDraft", "hasAttachments", "bodyPreview", "organizer", "originalStart"}

// refuseReadOnly is stricter than the vendor, who ignores some of them.
func (c *call) refuseReadOnly() *failure {
	var names map[string]json.RawMessage
	if json.Unmarshal(c.body, &names) == nil {
		for _, s := range readOnly {
			if names[s] != nil {
				return &failure{status: 400, code: "ErrorInvalidPropertySet", text: "The property '" + s + "' is read-only and can't be set."}
			}
		}
	}
	return nil
}

func (c *call) fillContact(i *Item) *failure {
	var in wireContact
	if bad := c.readJSON("contact", &in); bad != nil {
		return bad
	}
	if bad := c.refuseReadOnly(); bad != nil {
		return bad
	}
	if len(in.Emails) > 3 {
		return &failure{status: 400, code: "ErrorInvalidRequest", text: "A contact has three addresses at most."}
	}
	x := *i.contact
	for to, from := range map[*string]*string{
		&x.GivenName: in.Given, &x.Surname: in.Surname, &x.MiddleName: in.Middle, &x.NickName: in.Nick, &x.Title: in.Title, &x.DisplayName: in.Display, &x.Company: in.Company,
		&x.Department: in.Department, &x.JobTitle: in.Job, &x.Office: in.Office, &x.MobilePhone: in.Mobile, &x.Notes: in.Notes, &x.HomePage: in.HomePage, &x.Spouse: in.Spouse,
		&x.Assistant: in.Assistant, &x.Manager: in.Manager, &x.Profession: in.Profession,
	} {
		take(to, from)
	}
	for to, from := range map[*[]string][]string{&x.BusinessPhones: in.Work, &x.HomePhones: in.HomePhones, &x.Categories: in.Categories, &x.IM: in.IM, &x.Children: in.Children} {
		if from != nil {
			*to = from
		}
	}
	for to, from := range map[*Postal]*wirePostal{&x.Business: in.Business, &x.Home: in.Home, &x.Other: in.Other} {
		if from != nil {
			*to = Postal(*from)
		}
	}
	if in.Emails != nil {
		x.Emails = nil
		for _, e := range in.Emails {
			x.Emails = append(x.Emails, Address(e))
		}
	}
	take(&x.Birthday, in.Birthday)
	i.contact = &x
	i.mark(in.Properties)
	return nil
}

// mark takes over the extended properties of a contact or an event.
func (i *Item) mark(all []wireProperty) {
	for _, p := range all {
		if i.marks == nil {
			i.marks = map[string]string{}
		}
		i.marks[p.ID] = p.Value
	}
}

// Person is the contact as it is now.
func (i *Item) Person() Contact {
	i.box.tenant.mu.Lock()
	defer i.box.tenant.mu.Unlock()
	return *i.contact
}
