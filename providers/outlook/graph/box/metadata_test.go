package box

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"keepwatch/providers/outlook/graphtest"
)

// typeOf is the type of what is at a path of Graph.
func typeOf(path string) string {
	kind := ""
	for s := range strings.SplitSeq(path, "/") {
		s, _, _ = strings.Cut(s, "(")
		if k := map[string]string{
			"mailFolders": "mailFolder", "childFolders": kind, "messages": "message", "contactFolders": "contactFolder", "contacts": "contact", "calendars": "calendar", "events": "event", "instances": "event", "attachments": "attachment",
		}[s]; k != "" {
			kind = k
		}
	}
	return kind
}

var inner = regexp.MustCompile(`\(.*`)

// unknownNames are the properties that a request names and its type does not have.
func unknownNames(s *graphtest.Schema, r graphtest.Request) []string {
	q, err := url.ParseQuery(r.Query)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	for _, option := range []string{"$select", "$expand"} {
		names := q.Get(option)
		if names == "" {
			continue
		}
		for name := range strings.SplitSeq(inner.ReplaceAllString(names, ""), ",") {
			kind := typeOf(r.Path)
			if cast, rest, ok := strings.Cut(name, "/"); ok {
				kind, name = strings.TrimPrefix(cast, "microsoft.graph."), rest
				kind = strings.Replace(kind, "itemattachment", "itemAttachment", 1) // as Microsoft's pages write it
			}
			for _, v := range s.Check(kind, fmt.Appendf(nil, `{%q:null}`, name)) {
				if !strings.Contains(v, "null") {
					out = append(out, r.Path+" "+option+": "+v)
				}
			}
		}
	}
	return out
}

// TestUnknownNamesAreFound: the check of every world can go red.
func TestUnknownNamesAreFound(t *testing.T) {
	s := metadata(t)
	if s == nil {
		t.Skip("the type metadata of Microsoft Graph is not there")
	}
	for query, bad := range map[string]bool{
		"$select=id,subject": false, "$select=id,contentId": true, "$select=microsoft.graph.fileAttachment/contentId": false, "$expand=singleValueExtendedProperties($filter=id%20eq%20'x')": false, "$expand=wellKnownName": true,
	} {
		path := "/v1.0/users/x/mailFolders/y/messages/delta"
		if strings.Contains(query, "contentId") {
			path = "/v1.0/users/x/messages/y/attachments"
		}
		if got := unknownNames(s, graphtest.Request{Path: path, Query: query}); (len(got) > 0) != bad {
			t.Errorf("%s: %q", query, got)
		}
	}
	if got := unknownNames(s, graphtest.Request{Path: "/v1.0/users/x/mailFolders", Query: "$select=id,wellKnownName"}); len(got) != 1 {
		t.Errorf("%q", got)
	}
}
