package ise_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/sim"
)

func TestSecretsOfDevicesDoNotPrint(t *testing.T) {
	t.Parallel()
	_, client := both(t, sim.ISEConfig{Seed: 1, Devices: 1})
	d, err := client.NetworkDevice.Find(t.Context(), "sim-0001")
	if err != nil {
		t.Fatal(err)
	}
	shared, community := d.RADIUS.SharedSecret.Reveal(), d.SNMP.ROCommunity.Reveal()
	if shared == "" || community == "" || shared == "***" {
		t.Fatalf("Reveal gives %q and %q", shared, community)
	}
	devices, err := client.Resource("networkdevice")
	if err != nil {
		t.Fatal(err)
	}
	o, err := devices.Get(t.Context(), d.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(o.Reveal()), shared) {
		t.Error("Reveal hides what it is for")
	}
	texts := []string{}
	for _, v := range []any{d, &d, *d.RADIUS, d.RADIUS.SharedSecret, o, &o, []ise.Object{o}} {
		var log journal
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, fmt.Sprintf("%v %+v %#v %s %q %x", v, v, v, v, v, v), string(text), log.String())
	}
	for _, text := range texts {
		if strings.Contains(text, shared) || strings.Contains(text, community) || strings.Contains(text, fmt.Sprintf("%x", shared)) {
			t.Errorf("a secret is printed: %s", text)
		}
	}
	if !strings.Contains(texts[1], `"radiusSharedSecret":"***"`) {
		t.Errorf("got %s", texts[1])
	}
}

// TestARequestCarriesSecretsInClear also tells that the caller's object stays closed.
func TestARequestCarriesSecretsInClear(t *testing.T) {
	t.Parallel()
	bodies := make(chan string, 4)
	client := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies <- string(body)
		w.Header().Set("Location", "https://x/1")
		w.WriteHeader(http.StatusCreated)
	})
	d := ise.NetworkDevice{Name: "sw1", RADIUS: &ise.RADIUS{SharedSecret: ise.NewSecret("shared")}, Link: ise.Link{Href: "https://x"}, Addresses: []ise.NetworkDeviceIP{{IP: "192.0.2.1", Mask: 32}}}
	if _, err := client.NetworkDevice.Create(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	want := `{"NetworkDevice":{"name":"sw1","NetworkDeviceIPList":[{"ipaddress":"192.0.2.1","mask":32}],"authenticationSettings":{"radiusSharedSecret":"shared"}}}`
	if got := <-bodies; got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	if text, err := json.Marshal(d); err != nil || strings.Contains(string(text), "shared\"") && !strings.Contains(string(text), `"***"`) {
		t.Errorf("%s, %v", text, err)
	}
	o, err := ise.NewObject("NetworkDevice", []byte(`{"name":"sw1","tacacsSettings":{"sharedSecret":"shared"}}`))
	if err != nil {
		t.Fatal(err)
	}
	generic, err := client.Resource("networkdevice")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := generic.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if got, want := <-bodies, `{"NetworkDevice":{"name":"sw1","tacacsSettings":{"sharedSecret":"shared"}}}`; got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

func TestAMaskedSecretIsNotSent(t *testing.T) {
	t.Parallel()
	s, client := both(t, sim.ISEConfig{})
	printed, err := json.Marshal(ise.NetworkDevice{Name: "sw1", RADIUS: &ise.RADIUS{SharedSecret: ise.NewSecret("x")}})
	if err != nil {
		t.Fatal(err)
	}
	var d ise.NetworkDevice
	if err := json.Unmarshal(printed, &d); err != nil {
		t.Fatal(err)
	}
	if _, err := client.NetworkDevice.Create(t.Context(), d); !errors.Is(err, ise.ErrInvalid) {
		t.Errorf("got %v", err)
	}
	o, err := ise.NewObject("NetworkDevice", printed)
	if err != nil {
		t.Fatal(err)
	}
	generic, err := client.Resource("networkdevice")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := generic.Create(t.Context(), o); !errors.Is(err, ise.ErrInvalid) {
		t.Errorf("got %v", err)
	}
	if n := s.Counts().Requests; n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestNoSecretOfAnObjectIsPrintedWhereverItStands(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"name":"sw1","sharedSecret":"S3CRET"}`, `{"name":"sw1","a":[{"Password":"S3CRET"}]}`, `{"name":"sw1","password":12345678}`,
		`{"name":"sw1","snmpCommunity":["S3CRET"]}`, `{"name":"sw1","secrets":{"value":"S3CRET","more":[["S3CRET"]]}}`,
		`{"name":"sw1","password":"S3CRET","password":""}`, `{"name":"sw1","a":{"password":"S3CRET"},"a":{}}`, `{"name":"sw1","\u0070assword":"S3CRET"}`,
	} {
		o, err := ise.NewObject("NetworkDevice", []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if text := o.String(); strings.Contains(text, "S3CRET") || strings.Contains(text, "12345678") || !strings.Contains(text, `"name":"sw1"`) {
			t.Errorf("%s is printed as %s", body, text)
		}
	}
	const plain = `{ "name": "sw1", "n": 12345678901234567890 }`
	o, err := ise.NewObject("X", []byte(plain))
	if err != nil || o.String() != plain {
		t.Errorf("got %s, %v", o, err)
	}
}

func TestNetworkDeviceAddressesArePrefixes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ip   ise.NetworkDeviceIP
		want string
	}{
		{ise.NetworkDeviceIP{IP: "192.0.2.1", Mask: 32}, "192.0.2.1/32"},
		{ise.NetworkDeviceIP{IP: "192.0.2.0", Mask: 24}, "192.0.2.0/24"},
		{ise.NetworkDeviceIP{IP: "2001:db8::1", Mask: 128}, "2001:db8::1/128"},
		{ise.NetworkDeviceIP{IP: "192.0.2.1", Mask: 33}, ""},
		{ise.NetworkDeviceIP{IP: "192.0.2.10-20", Mask: 32}, ""},
	} {
		p, err := c.ip.Prefix()
		if (err == nil) != (c.want != "") || err == nil && p.String() != c.want {
			t.Errorf("%v: got %v, %v", c.ip, p, err)
		}
	}
}
