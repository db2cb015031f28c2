using System.Globalization;
using System.Net;
using CsCheck;
using FailoverHub.Agent.Discovery;

namespace FailoverHub.Agent.Tests.Discovery;

public sealed class InstanceReaderTests
{
    private static readonly DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(Documents.Network)]
    [InlineData(Documents.OlderNetwork)]
    public void BothSpellings_SayTheSame(string network)
    {
        var answer = InstanceReader.Read(Documents.Bytes(Documents.Instance), Documents.Bytes(network), _now)!;

        Assert.Empty(answer.Oddities);
        Assert.Equal(1234567, answer.Facts.InstanceId);
        Assert.Equal("web-a", answer.Facts.Label);
        Assert.Equal("us-ord", answer.Facts.Region);
        Assert.Equal("3f0c1a52d5c24d1b9a7d6d2f1f1b7c55", answer.Facts.HostId);
        Assert.Equal(IPAddress.Parse("2001:db8:18::f03c:94ff:fe00:1"), answer.Facts.Slaac);
        Assert.Equal([IPNetwork.Parse("203.0.113.10/32"), IPNetwork.Parse("2001:db8:e001:1b8c::/64")], answer.Facts.Shared);
        Assert.Equal(_now, answer.Facts.ReadAt);
    }

    [Theory]
    [InlineData("{}", "{}")]
    [InlineData("""{"id":null,"region":null}""", """{"ipv4":null,"ipv6":{"slaac":null,"shared_ranges":null}}""")]
    [InlineData("""{"id":0,"region":"","label":""}""", """{"ipv4":{"shared":[null,""]},"ipv6":{"slaac":""}}""")]
    public void NothingSaid_IsNothingKnown(string instance, string network)
    {
        var answer = InstanceReader.Read(Documents.Bytes(instance), Documents.Bytes(network), _now)!;

        Assert.Empty(answer.Oddities);
        Assert.True(answer.Facts.SaysTheSameAs(new InstanceFacts { ReadAt = _now }));
    }

    [Theory]
    [InlineData("", "{}")]
    [InlineData("{}", "[]")]
    [InlineData("null", "{}")]
    [InlineData("<html>", "{}")]
    [InlineData("{\"region\":18}", "{}")]
    [InlineData("{\"region\":\"us-ord\"", "{}")]
    [InlineData("{}", "{\"ipv4\":[]}")]
    [InlineData("{}", "{\"ipv4\":{\"shared\":\"203.0.113.10\"}}")]
    [InlineData("{}", "{\"ipv6\":{\"shared_ranges\":[{}]}}")]
    public void WhatIsNoDocument_IsRefused(string instance, string network)
    {
        Assert.Null(InstanceReader.Read(Documents.Bytes(instance), Documents.Bytes(network), _now));
    }

    [Theory]
    [InlineData("{\"region\":\"us-ord\\nEVIL\"}", "{}", "region")]
    [InlineData("{\"region\":\"../../etc\"}", "{}", "region")]
    [InlineData("{\"host_uuid\":\"a b\"}", "{}", "host_uuid")]
    [InlineData("{}", "{\"ipv6\":{\"slaac\":\"fe80::1/128\"}}", "slaac")]
    [InlineData("{}", "{\"ipv6\":{\"slaac\":\"::1\"}}", "slaac")]
    [InlineData("{}", "{\"ipv6\":{\"slaac\":\"192.0.2.1/128\"}}", "slaac")]
    [InlineData("{}", "{\"ipv6\":{\"slaac\":\"2001:db8::1%eth0\"}}", "slaac")]
    [InlineData("{}", "{\"ipv4\":{\"shared\":[\"127.0.0.1/32\"]}}", "127.0.0.1/32")]
    [InlineData("{}", "{\"ipv4\":{\"shared\":[\"169.254.169.254\"]}}", "169.254.169.254")]
    [InlineData("{}", "{\"ipv4\":{\"shared\":[\"0.0.0.0/0\"]}}", "0.0.0.0/0")]
    [InlineData("{}", "{\"ipv4\":{\"shared\":[\"224.0.0.1\"]}}", "224.0.0.1")]
    [InlineData("{}", "{\"ipv4\":{\"shared\":[\"203.0.113.0/24\"]}}", "203.0.113.0/24")]
    [InlineData("{}", "{\"ipv6\":{\"shared_ranges\":[\"::/0\"]}}", "::/0")]
    [InlineData("{}", "{\"ipv6\":{\"shared_ranges\":[\"fe80::/64\"]}}", "fe80::/64")]
    [InlineData("{}", "{\"ipv6\":{\"shared_ranges\":[\"2001:db8::/48\"]}}", "2001:db8::/48")]
    public void NonsenseInADocument_IsLeftOut_AndNamed(string instance, string network, string named)
    {
        var answer = InstanceReader.Read(Documents.Bytes(instance), Documents.Bytes(network), _now)!;

        Assert.True(answer.Facts.SaysTheSameAs(new InstanceFacts { ReadAt = _now }));
        var oddity = Assert.Single(answer.Oddities);
        Assert.Contains(named, oddity, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', oddity);
    }

    [Fact]
    public void TooManyShared_AreCutOff_AndSaid()
    {
        var many = string.Join(',', Enumerable.Range(0, 1000).Select(n => string.Create(CultureInfo.InvariantCulture, $"\"198.18.{n / 250}.{n % 250}/32\"")));

        var answer = InstanceReader.Read("{}"u8, Documents.Bytes($"{{\"ipv4\":{{\"shared\":[{many}]}}}}"), _now)!;

        Assert.Equal(256, answer.Facts.Shared.Length);
        Assert.Contains("more than 256", Assert.Single(answer.Oddities), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("abc.DEF-123", "abc.DEF-123")]
    [InlineData("abc\n", "abc")]
    [InlineData("[\"abc\"]", "abc")]
    [InlineData("", null)]
    [InlineData("[]", null)]
    [InlineData("[\"a\",\"b\"]", null)]
    [InlineData("[null]", null)]
    [InlineData("[1]", null)]
    [InlineData("a b", null)]
    [InlineData("a\r\nHost: elsewhere", null)]
    [InlineData("[\"a\\r\\nHost: elsewhere\"]", null)]
    [InlineData("grün", null)]
    public void Token_IsOneWordThatFitsAHeader_OrNone(string body, string? token)
    {
        Assert.Equal(token, InstanceReader.Token(Documents.Bytes(body)));
        Assert.Null(InstanceReader.Token(Documents.Bytes(new string('a', 1025))));
    }

    [Fact]
    public void KeptAnswer_SaysTheSame_AndWhen()
    {
        var facts = InstanceReader.Read(Documents.Bytes(Documents.Instance), Documents.Bytes(Documents.Network), _now)!.Facts;

        var kept = InstanceReader.ReadStored(InstanceReader.Store(facts))!;

        Assert.True(kept.SaysTheSameAs(facts));
        Assert.Equal(_now, kept.ReadAt);
    }

    [Fact]
    public void KeptAnswer_Damaged_IsNone()
    {
        var whole = InstanceReader.Store(new InstanceFacts { Region = "us-ord", ReadAt = _now });
        for (var length = 0; length < whole.Length; length++)
        {
            Assert.Null(InstanceReader.ReadStored(whole.AsSpan(0, length)));
        }

        Gen.Byte.Array[0, 100].Sample(bytes => Assert.Null(InstanceReader.ReadStored(bytes)));
    }
}
