package cpanel

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type looseAll struct {
	N number
	D decimal
	T text
	F flag
	L list[text]
	O list[struct{ A number }]
	S stamp
}

func TestLoose(t *testing.T) {
	at := stamp{time.Unix(1_750_636_800, 0).UTC()}
	type one = struct{ A number }
	for _, tc := range []struct {
		in   string
		want looseAll
	}{
		{`{}`, looseAll{}},
		{`{"N":null,"D":null,"T":null,"F":null,"L":null,"O":null,"S":null}`, looseAll{}},
		{`{"N":"","D":"","T":"","F":"","L":"","O":"","S":""}`, looseAll{}},
		{`{"N":12,"D":12.5,"T":"x","F":1,"L":["a","b"],"O":[{"A":1},{"A":"2"}],"S":1750636800}`, looseAll{12, 12.5, "x", true, list[text]{"a", "b"}, list[one]{{1}, {2}}, at}},
		{`{"N":"12.00","D":"12.50","T":12,"F":"1","L":"a","O":{"A":1},"S":"1750636800.25"}`, looseAll{12, 12.5, "12", true, list[text]{"a"}, list[one]{{1}}, at}},
		{`{"N":true,"D":false,"T":true,"F":true,"L":{"0":"a","10":"c","9":"b"},"O":{"1":{"A":5}},"S":0}`, looseAll{1, 0, "true", true, list[text]{"a", "b", "c"}, list[one]{{5}}, stamp{}}},
		{`{"N":9223372036854775807,"D":-1e3,"T":" x ","F":"no","L":{},"O":[],"S":"0"}`, looseAll{9223372036854775807, -1000, " x ", false, nil, list[one]{}, stamp{}}},
		{`{"N":" 12 ","F":"0.00","L":[1,null]}`, looseAll{N: 12, L: list[text]{"1", ""}}},
	} {
		var got looseAll
		if err := json.Unmarshal([]byte(tc.in), &got); err != nil {
			t.Errorf("%s: %v", tc.in, err)
		} else if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", tc.in, diff)
		}
	}
	for _, in := range []string{
		`{"N":"x"}`, `{"N":{}}`, `{"N":[1]}`, `{"N":1e300}`, `{"N":"NaN"}`, `{"D":"Inf"}`, `{"D":{}}`, `{"T":{}}`, `{"T":[]}`, `{"F":"maybe"}`, `{"F":[]}`,
		`{"L":{"a":1}}`, `{"O":[1]}`, `{"O":"x"}`, `{"O":{"0":{"A":"x"}}}`, `{"S":1e20}`, `{"S":"tomorrow"}`, `{"S":{}}`,
	} {
		if err := json.Unmarshal([]byte(in), new(looseAll)); err == nil {
			t.Errorf("%s is taken", in)
		}
	}
}

// FuzzLoose: whatever comes, the loose types take it or refuse it, and what they take
// strict types take with the same meaning.
func FuzzLoose(f *testing.F) {
	for _, s := range []string{`{"N":"12.00","T":12,"F":"1","L":{"0":"a"},"S":"1"}`, `{"L":[[]]}`, `{"O":{"0":{}}}`, `{"N":-0}`, `{"S":-62135596800}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var loose looseAll
		looseErr := json.Unmarshal(b, &loose)
		var strict struct {
			N int64
			T string
			F bool
			L []string
		}
		if json.Unmarshal(b, &strict) != nil || looseErr != nil {
			return
		}
		if strict.N != int64(loose.N) || strict.T != string(loose.T) || strict.F != bool(loose.F) || len(strict.L) != len(loose.L) {
			t.Errorf("%s: %+v, want %+v", b, loose, strict)
		}
	})
}

// FuzzEnvelope: no answer of a host makes a reader panic, and none without a status
// counts as done.
func FuzzEnvelope(f *testing.F) {
	for _, s := range []string{
		`{"status":1,"data":{"pid":"1"}}`, `{"result":{"status":0,"errors":"x"}}`, `{"cpanelresult":{"event":{"result":1},"data":[]}}`,
		`{"data":{"uapi":{"status":1}},"metadata":{"result":1}}`, `{"result":null}`, `{"status":{}}`, `[]`, `{"status":1,"errors":{"0":"a"}}`, "<html>",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var into looseAll
		err := readUAPI("M", "f", b, &into)
		var shape struct {
			Status json.RawMessage `json:"status"`
			Result json.RawMessage `json:"result"`
		}
		if err == nil && json.Unmarshal(b, &shape) == nil && len(shape.Status) == 0 && len(shape.Result) == 0 {
			t.Errorf("%s counts as done", b)
		}
		_ = readAPI2("M", "f", b, &into)
		_ = readWHM("f", b, &into)
		_ = readUAPIOfWHM("M", "f", b, &into)
		_ = readVersion(string(b)).String()
		_ = isHTML(nil, b)
		_ = titleOf(b)
	})
}
