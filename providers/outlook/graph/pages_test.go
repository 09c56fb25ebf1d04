package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// list serves n numbers page by page, as many as maxpagesize asks for.
func list(n int, slowOver int, sizes *[]int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		size := 10
		for p := range strings.SplitSeq(r.Header.Get("Prefer"), ", ") {
			if v, found := strings.CutPrefix(p, "odata.maxpagesize="); found {
				size, _ = strconv.Atoi(v)
			}
		}
		*sizes = append(*sizes, size)
		if size > slowOver {
			refuse(w, 504, "UnknownError", "")
			return
		}
		from, _ := strconv.Atoi(r.URL.Query().Get("$skiptoken"))
		to := min(from+size, n)
		var items []int
		for i := from; i < to; i++ {
			items = append(items, i)
		}
		page := map[string]any{"@odata.context": "x", "value": items}
		if to < n {
			page["@odata.nextLink"] = fmt.Sprintf("https://graph.example/v1.0/users/a/messages/delta?$skiptoken=%d", to)
		} else {
			page["@odata.deltaLink"] = "https://graph.example/v1.0/users/a/messages/delta?$deltatoken=end"
		}
		_ = json.NewEncoder(w).Encode(page)
	}
}

func TestPages(t *testing.T) {
	for _, test := range []struct {
		name     string
		slowOver int
		sizes    []int
	}{
		{"all well", 1000, []int{40, 40, 40}},
		{"slow", 12, []int{40, 20, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 20, 10}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sizes, got []int
				f, delta := &fake{serve: list(106, test.slowOver, &sizes)}, ""
				for page, err := range f.client(t).PagesOf(t.Context(), alis, Request{URL: "/users/a/messages/delta", PageSize: 40}) {
					if err != nil {
						t.Fatal(err)
					}
					for _, item := range page.Items {
						n, _ := strconv.Atoi(string(item))
						got = append(got, n)
					}
					delta = page.Delta
				}
				for i, n := range got {
					if i != n {
						t.Fatalf("item %d is %d", i, n)
					}
				}
				if len(got) != 106 || !strings.HasSuffix(delta, "=end") {
					t.Errorf("%d items, then %s", len(got), delta)
				}
				if diff := cmp.Diff(test.sizes, sizes); diff != "" {
					t.Errorf("sizes (-want +got): %s", diff)
				}
			})
		})
	}
}

// TestPageNever: the smallest page is asked for as often as any call, then it is an error.
func TestPageNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sizes []int
		f, seen := &fake{serve: list(10, 0, &sizes)}, 0
		for _, err := range f.client(t).PagesOf(t.Context(), alis, Request{URL: "/users/a/messages/delta", PageSize: 40}) {
			var e *Error
			if seen++; !errors.As(err, &e) || e.Status != 504 {
				t.Errorf("%v", err)
			}
		}
		if seen != 1 || len(sizes) != 3+mostTries || sizes[len(sizes)-1] != smallestPage {
			t.Errorf("%d errors, sizes %v", seen, sizes)
		}
	})
}

// TestPageBound: a page that is longer than the bound is asked for in smaller pieces, and
// an item that is longer alone is an error.
func TestPageBound(t *testing.T) {
	var sizes []int
	serve := list(100, 1000, &sizes)
	f := &fake{}
	f.serve = serve
	config := f.config()
	config.MostPage = 260
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	items := 0
	for page, err := range c.PagesOf(t.Context(), alis, Request{URL: "/users/a/messages/delta", PageSize: 100}) {
		if err != nil {
			t.Fatal(err)
		}
		items += len(page.Items)
	}
	if items != 100 || sizes[0] != 100 || sizes[1] != 50 {
		t.Errorf("%d items, sizes %v", items, sizes)
	}
	f.serve = func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"value":["%s"]}`, strings.Repeat("x", 300))
	}
	for _, err := range c.Pages(t.Context(), alis, "/x") {
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("%v", err)
		}
	}
}

// TestPageAlone: of a page no more than 1 MiB is held, but of one item alone, which nobody
// else may do until whoever reads asks for the next page, or leaves. Long texts are not
// counted, and are left out.
func TestPageAlone(t *testing.T) {
	items := []string{`{"id":1}`, `{"id":2,"text":"` + strings.Repeat("x", 3<<20) + `"}`, `{"id":3}`, `{"id":4}`, `{"id":5,"all":[` + strings.Repeat("1,", 1<<20) + `1]}`, `{"id":6}`, `{"id":7}`}
	f := &fake{serve: func(w http.ResponseWriter, r *http.Request) {
		size := 10
		for p := range strings.SplitSeq(r.Header.Get("Prefer"), ", ") {
			if v, found := strings.CutPrefix(p, "odata.maxpagesize="); found {
				size, _ = strconv.Atoi(v)
			}
		}
		from, _ := strconv.Atoi(r.URL.Query().Get("$skip"))
		to, next := min(from+size, len(items)), ""
		if to < len(items) {
			next = fmt.Sprintf(`,"@odata.nextLink":"https://graph.example/v1.0/x?$skip=%d"`, to)
		}
		fmt.Fprintf(w, `{"value":[%s]%s}`, strings.Join(items[from:to], ","), next)
	}}
	c := f.client(t)
	held := func() bool { return c.large.free == 0 }
	for leaveAt := range 8 {
		var ids, alone []int
		for page, err := range c.PagesOf(t.Context(), alis, Request{URL: "/x", PageSize: 2 * smallestPage, Longest: 1000}) {
			if err != nil {
				t.Fatal(err)
			}
			for i, item := range page.Items {
				var it struct {
					ID   int
					Text *string
				}
				if err := json.Unmarshal(item, &it); err != nil || page.Cut[i] != (it.ID == 2) || it.Text != nil && *it.Text != "" {
					t.Errorf("item %d, cut: %t, %v", it.ID, page.Cut[i], err)
				}
				if ids = append(ids, it.ID); held() {
					alone = append(alone, it.ID)
				}
			}
			if leaveAt > 0 && len(ids) >= leaveAt {
				break
			}
		}
		if held() {
			t.Fatalf("after %v nobody else is let in", ids)
		}
		if leaveAt == 0 && (fmt.Sprint(ids) != "[1 2 3 4 5 6 7]" || fmt.Sprint(alone) != "[1 2 3 4 5]") {
			t.Errorf("%v, alone %v", ids, alone)
		}
	}
	items[0] = `{"id":1,"all":[` + strings.Repeat("1,", 5<<20) + `1]}`
	for _, err := range c.PagesOf(t.Context(), alis, Request{URL: "/x", PageSize: 2 * smallestPage, Longest: 1000}) {
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("an item that is longer alone: %v", err)
		}
	}
	if held() {
		t.Error("after an error nobody else is let in")
	}
}

func TestPageLinks(t *testing.T) {
	for _, test := range []struct {
		page string
		kind error
	}{
		{`{"value":[],"@odata.nextLink":"https://evil.example/v1.0/x"}`, ErrOtherHost},
		{`{"value":[],"@odata.deltaLink":"http://graph.example/v1.0/x"}`, ErrOtherHost},
		{`{"value":[],"@odata.nextLink":"/x"}`, ErrOtherHost},
		{`{"value":[],"@odata.nextLink":"https://graph.example/v1.0/x"}`, nil}, // in a circle
	} {
		f, pages := &fake{serve: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(test.page)) }}, 0
		var last error
		for _, err := range f.client(t).Pages(t.Context(), alis, "/x") {
			pages++
			last = err
		}
		if last == nil || test.kind != nil && !errors.Is(last, test.kind) || pages > 2 {
			t.Errorf("%s: %v after %d pages", test.page, last, pages)
		}
		for _, r := range f.seen {
			if r.URL.Host != "graph.example" || r.URL.Scheme != "https" {
				t.Errorf("%s was called", r.URL)
			}
		}
	}
}

func TestDecodePage(t *testing.T) {
	page, err := decodePage(strings.NewReader(`{"x":{"value":[9]},"@odata.deltaLink":"d","value":[{"id":"a"},{"id":"b"}],"y":[[]]}`))
	if err != nil || len(page.Items) != 2 || string(page.Items[1]) != `{"id":"b"}` || page.Delta != "d" {
		t.Errorf("%+v, %v", page, err)
	}
	for _, bad := range []string{``, `[]`, `{}`, `{"value":{}}`, `{"value":[1,`, `{"value":[1]`, `{"value":[],"@odata.nextLink":7}`, `null`} {
		if _, err := decodePage(strings.NewReader(bad)); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}
