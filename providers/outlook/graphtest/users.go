package graphtest

import (
	"encoding/json"
	"regexp"
	"strings"
)

// users answers what is below /users.
func (c *call) users() answer {
	if len(c.path) == 1 {
		return c.listUsers()
	}
	if c.user == nil {
		return fail(404, "Request_ResourceNotFound", "Resource '%s' does not exist or one of its queried reference-property objects are not present.", c.path[1])
	}
	if len(c.path) == 2 {
		if !c.mayUsers() {
			return insufficient()
		}
		return c.entity(c.person(c.user), "user")
	}
	if c.user.NoMailbox {
		return fail(404, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise.")
	}
	if c.writes() {
		return c.write()
	}
	rest := c.path[3:]
	switch strings.ToLower(c.path[2]) {
	case "mailfolders":
		return c.mailFolders(rest)
	case "messages":
		if !c.may("Mail.Read", "Mail.ReadWrite", "Mail.ReadBasic.All", "Mail.ReadBasic") {
			return denied()
		}
		return c.messages(nil, rest)
	case "contactfolders":
		return c.contactFolders(rest)
	case "contacts":
		return c.contacts(c.box.known["contacts"], rest)
	case "calendars":
		return c.calendars(rest)
	case "calendar":
		return c.calendars(append([]string{"calendar"}, rest...))
	case "events":
		return c.events(c.box.known["calendar"], rest)
	case "calendarview":
		return c.calendarView(c.box.known["calendar"], rest)
	case "mailboxsettings":
		return c.settings(rest)
	case "translateexchangeids":
		return c.translate()
	}
	return c.noSegment(c.path[2])
}

func (c *call) mayUsers() bool {
	return c.may("User.ReadBasic.All", "User.Read.All", "User.ReadWrite.All", "Directory.Read.All")
}

func insufficient() answer {
	return fail(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}

// equals is the one kind of $filter that is taken here.
var equals = regexp.MustCompile(`^(mail|userPrincipalName|id) eq '([^']*)'$`)

func (c *call) listUsers() answer {
	if !c.mayUsers() {
		return insufficient()
	}
	all := c.n.users
	if c.q.filter != "" {
		m := equals.FindStringSubmatch(c.q.filter)
		if m == nil {
			return fail(400, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause specified.")
		}
		all = nil
		for _, u := range c.n.users {
			if strings.EqualFold(map[string]string{"mail": u.Mail, "userPrincipalName": u.UPN, "id": u.ID}[m[1]], m[2]) {
				all = append(all, u)
			}
		}
	}
	return c.list(len(all), "user", 100, func(n int) (map[string]any, *failure) { return c.person(all[n]), nil })
}

func (c *call) person(u *User) map[string]any {
	out := map[string]any{
		"id": u.ID, "userPrincipalName": u.UPN, "mail": u.Mail, "displayName": u.Name, "businessPhones": []any{}, "givenName": nil, "surname": nil, "jobTitle": nil, "mobilePhone": nil, "officeLocation": nil, "preferredLanguage": u.Language,
	}
	for key, value := range map[string]any{"accountEnabled": c.beyondBasic(!u.Disabled), "userType": "Member", "createdDateTime": "2025-01-01T00:00:00Z", "assignedLicenses": []any{}, "proxyAddresses": []any{"SMTP:" + u.Mail}, "onPremisesSyncEnabled": c.beyondBasic(c.synced(u))} {
		if c.wants(key) {
			out[key] = value
		}
	}
	return out
}

// settings answers the mailbox's settings, or one of them.
func (c *call) settings(rest []string) answer {
	if !c.may("MailboxSettings.Read", "MailboxSettings.ReadWrite") {
		return denied()
	}
	if c.r.Method != "GET" {
		return c.badMethod()
	}
	u := c.user
	never := map[string]any{"dateTime": "2026-01-01T00:00:00.0000000", "timeZone": "UTC"}
	all := map[string]any{
		"archiveFolder": c.box.known["archive"].id(), "timeZone": u.TimeZone, "dateFormat": "yyyy-MM-dd", "timeFormat": "HH:mm", "userPurpose": u.Purpose, "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
		"language":                map[string]any{"locale": u.Language, "displayName": map[string]string{"de-DE": "Deutsch (Deutschland)", "en-US": "English (United States)"}[u.Language]},
		"automaticRepliesSetting": map[string]any{"status": "disabled", "externalAudience": "all", "internalReplyMessage": "", "externalReplyMessage": "", "scheduledStartDateTime": never, "scheduledEndDateTime": never},
		"workingHours":            map[string]any{"daysOfWeek": []any{"monday", "tuesday", "wednesday", "thursday", "friday"}, "startTime": "08:00:00.0000000", "endTime": "17:00:00.0000000", "timeZone": map[string]any{"name": u.TimeZone}},
	}
	if len(rest) == 1 {
		v, ok := all[rest[0]]
		if !ok {
			return c.noSegment(rest[0])
		}
		return answer{body: map[string]any{"@odata.context": c.context(""), "value": v}}
	}
	picked, bad := c.pick(all, "mailboxSettings")
	if bad != nil {
		return answer{fail: bad}
	}
	return one("mailboxSettings", c.context(""), picked)
}

// translate changes ids between the kinds, up to 1,000 of them.
func (c *call) translate() answer {
	if c.r.Method != "POST" {
		return c.badMethod()
	}
	if !c.may("Mail.Read", "Mail.ReadWrite", "Mail.ReadBasic.All", "Contacts.Read", "Contacts.ReadWrite", "Calendars.Read", "Calendars.ReadWrite", "User.Read.All") {
		return denied()
	}
	var in struct {
		InputIDs []string `json:"inputIds"`
		Source   string   `json:"sourceIdType"`
		Target   string   `json:"targetIdType"`
	}
	if err := json.Unmarshal(c.body, &in); err != nil {
		return fail(400, "BadRequest", "Unable to read JSON request payload.")
	}
	if len(in.InputIDs) > 1000 {
		return fail(400, "ErrorInvalidRequest", "The number of ids is over the limit of 1000.")
	}
	if in.Target != "restId" && in.Target != "restImmutableEntryId" {
		return fail(400, "ErrorInvalidRequest", "The target type '%s' is not served.", in.Target)
	}
	values := []any{}
	for _, id := range in.InputIDs {
		i := c.box.find(id)
		if i == nil {
			values = append(values, map[string]any{"sourceId": id, "errorDetails": map[string]any{"code": "ErrorInvalidIdMalformed", "message": "Id is malformed."}})
			continue
		}
		values = append(values, map[string]any{"sourceId": id, "targetId": i.id(in.Target == "restImmutableEntryId")})
	}
	return answer{body: map[string]any{"@odata.context": c.n.URL + "/v1.0/$metadata#Collection(microsoft.graph.convertIdResult)", "value": values}, shape: "convertIdResult", many: true}
}
