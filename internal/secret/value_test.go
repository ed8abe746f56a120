package secret

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const password = "hunter2"

// holder has a Value where fmt may call its methods, and where it may not.
type holder struct {
	V      Value
	P      *Value
	hidden Value
}

func TestValueIsNotPrinted(t *testing.T) {
	v := New([]byte(password))
	things := []any{v, &v, []Value{v}, map[string]Value{"a": v}, holder{v, &v, v}, &holder{v, &v, v}, struct{ any }{v}}
	for _, thing := range things {
		for _, verb := range "vsqxXdobOUcteEfFgGpTwz!" {
			for _, flags := range []string{"", "+", "#", "-30", "030", ".3", "# ", "+#"} {
				checkHidden(t, fmt.Sprintf("%"+flags+string(verb), thing))
			}
		}
		checkHidden(t, fmt.Sprint(thing), fmt.Sprintln(thing))
	}
	for _, verb := range "vsqxXdobOUcteEfFgG" {
		for _, flag := range []string{"", "+", "#"} {
			if got := fmt.Sprintf("%"+flag+string(verb), v); got != Shown {
				t.Errorf("%%%s%c prints %q", flag, verb, got)
			}
		}
	}
	if v.String() != Shown || v.GoString() != Shown {
		t.Errorf("String %q, GoString %q", v.String(), v.GoString())
	}
}

func checkHidden(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		low := strings.ToLower(s)
		for _, form := range []string{password, "68756e74", "104 117 110", "0x68", "150 165 156", "68 75 6e"} {
			if strings.Contains(low, form) {
				t.Errorf("%q shows the secret", s)
			}
		}
	}
}

func TestValueIsNotEncoded(t *testing.T) {
	v := New([]byte(password))
	h := struct {
		V Value
		M map[string]any
	}{v, map[string]any{"a": v, "b": &v}}
	b, err := json.Marshal(h)
	if want := `{"V":"[secret]","M":{"a":"[secret]","b":"[secret]"}}`; string(b) != want || err != nil {
		t.Errorf("JSON is %s, %v, want %s", b, err, want)
	}
	type named struct{ V Value }
	b, err = xml.Marshal(named{v})
	if want := `<named><V>[secret]</V></named>`; string(b) != want || err != nil {
		t.Errorf("XML is %s, %v, want %s", b, err, want)
	}
	var buf bytes.Buffer
	_ = gob.NewEncoder(&buf).Encode(struct{ V Value }{v}) // may fail, must not show
	checkHidden(t, buf.String())
	buf.Reset()
	for _, h := range []slog.Handler{slog.NewTextHandler(&buf, nil), slog.NewJSONHandler(&buf, nil)} {
		slog.New(h).With("a", v).Info("x", "b", v, "c", &v, "d", []Value{v}, "e", holder{v, &v, v})
	}
	checkHidden(t, buf.String())
	if n := strings.Count(buf.String(), Shown); n < 6 {
		t.Errorf("slog writes %s", buf.String())
	}
}

func TestValueBytesAndWipe(t *testing.T) {
	b := []byte(password)
	v := New(b)
	w := v
	if got := string(w.Bytes()); got != password {
		t.Errorf("Bytes = %q", got)
	}
	v.Wipe()
	if !bytes.Equal(b, make([]byte, len(password))) {
		t.Errorf("after Wipe the bytes are %q", b)
	}
	if len(w.Bytes()) != 0 {
		t.Errorf("after Wipe a copy gives %q", w.Bytes())
	}
	v.Wipe()
	var zero Value
	zero.Wipe()
	if len(zero.Bytes()) != 0 || fmt.Sprint(zero) != Shown {
		t.Errorf("the zero Value is %v with %q", zero, zero.Bytes())
	}
}
