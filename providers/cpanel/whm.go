package cpanel

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"keepwatch"
)

// readUAPIOfWHM reads what uapi_cpanel answers: an envelope of WHM with one of UAPI in
// data.uapi.
func readUAPIOfWHM(module, function string, answer []byte, into any) error {
	var data struct {
		UAPI json.RawMessage `json:"uapi"`
	}
	if err := readWHM("uapi_cpanel", answer, &data); err != nil {
		return err
	}
	if len(data.UAPI) == 0 {
		return &callError{Module: module, Function: function, Status: 200, Said: []string{"The answer of uapi_cpanel has no data.uapi."}}
	}
	return readUAPI(module, function, data.UAPI, into)
}

// isWHMAnswer reports whether an answer is an envelope of WHM API 1.
func isWHMAnswer(answer []byte) bool { return len(whmReason(answer)) > 0 }

// whmReason gives the reason in an envelope of WHM API 1.
func whmReason(answer []byte) []string {
	var e struct {
		Metadata struct {
			Reason text `json:"reason"`
		} `json:"metadata"`
	}
	if json.Unmarshal(answer, &e) != nil {
		return nil
	}
	return hostSaid(list[text]{e.Metadata.Reason})
}

// version is that of a host: {11, 136, 0, 4}.
type version []int

// readVersion reads "11.136.0.4" and "136.0 (build 4)"; nil for what is none.
func readVersion(s string) version {
	var v version
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
		n, err := strconv.Atoi(f)
		if err != nil || len(v) == 4 {
			break
		}
		v = append(v, n)
	}
	// cPanel leaves the 11 out where people read it.
	if len(v) > 0 && v[0] != 11 {
		v = append(version{11}, v...)
	}
	return v
}

func (v version) String() string {
	parts := make([]string, len(v))
	for i, n := range v {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, ".")
}

// atLeast reports whether it is of the named major version, such as 136, or later. An
// unknown version is not.
func (v version) atLeast(major int) bool { return len(v) > 1 && v[1] >= major }

// versionTime is how long a version is taken for the current one.
const versionTime = time.Hour

// version gives that of the host, asked anew after an hour.
func (c *client) version(ctx context.Context) (version, error) {
	c.mu.Lock()
	known, asked := c.known, c.asked
	c.mu.Unlock()
	if known != nil && c.now().Sub(asked) < versionTime {
		return known, nil
	}
	said, err := c.askVersion(ctx)
	if err != nil {
		return nil, err
	}
	v := readVersion(said)
	if v == nil {
		return nil, keepwatch.Errorf(keepwatch.KindAttention, "%s does not say which version of cPanel it has.", c.base.Host)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known, c.asked = v, c.now()
	return v, nil
}

// askVersion asks for the version. WHM has a function for it. An account is told it
// among its statistics; and where a host leaves it out there,
// Variables::get_server_information has a version, which by cPanel's document is the
// kernel's and was seen to be cPanel's: it is taken when it begins as cPanel's do.
func (c *client) askVersion(ctx context.Context) (string, error) {
	if c.account.WHM != "" {
		var data struct {
			Version text `json:"version"`
		}
		err := c.whm(ctx, "version", nil, &data)
		return string(data.Version), err
	}
	var stats list[struct {
		Name  text `json:"name"`
		Value text `json:"value"`
	}]
	err := c.uapi(ctx, "StatsBar", "get_stats", url.Values{"display": {"cpanelversion"}}, &stats)
	if err != nil && (keepwatch.KindOf(err) == keepwatch.KindTransient || isRefused(err)) {
		return "", err
	}
	for _, s := range stats {
		if s.Name == "cpanelversion" && s.Value != "" {
			return string(s.Value), nil
		}
	}
	var server struct {
		Version text `json:"version"`
	}
	if err := c.uapi(ctx, "Variables", "get_server_information", nil, &server); err != nil {
		return "", err
	}
	if !strings.HasPrefix(string(server.Version), "11.") {
		return "", nil
	}
	return string(server.Version), nil
}
