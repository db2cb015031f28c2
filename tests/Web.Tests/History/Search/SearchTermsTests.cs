using CsCheck;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Search;

namespace FailoverHub.Web.Tests.History.Search;

public sealed class SearchTermsTests
{
    private static EventEntity Event(string text) => new() { AtMs = 1_777_896_000_000, RecordedAtMs = 0, Kind = "session-lost", Severity = EventSeverity.Warning, Text = text };

    [Theory]
    [InlineData("announces", "announced")]
    [InlineData("announcing", "announce")]
    [InlineData("stopped", "stop")]
    [InlineData("installed", "install")]
    [InlineData("addresses", "address")]
    [InlineData("probes", "probing")]
    [InlineData("policies", "policy")]
    [InlineData("does", "does")]
    public void Word_InAnotherForm_IsTheSameTerm(string one, string other) => Assert.Equal(SearchTerms.Stem(one), SearchTerms.Stem(other));

    [Theory]
    [InlineData("Peer 127.34.0.1:1790 closed (\"node-a\").", "127.34.0.1:1790")]
    [InlineData("Peer 127.34.0.1:1790 closed (\"node-a\").", "127.34.0.1")]
    [InlineData("Peer 127.34.0.1:1790 closed (\"node-a\").", "NODE-A")]
    [InlineData("203.0.113.10/32 moved.", "203.0.113.10/32")]
    [InlineData("203.0.113.10/32 moved.", "203.0.113.10")]
    [InlineData("203.0.113.10/32 moved.", "203.0.113*")]
    [InlineData("2001:db8:1::/64 moved", "2001:db8:1::/64")]
    [InlineData("Zürich maintenance", "ZÜRICH")]
    [InlineData("Wartung für Ωmega", "ωmega")]
    [InlineData("anything", "session-lost")]
    [InlineData("anything", "lost")]
    public void Text_IsFoundByItsWordsAndNames(string text, string words) => Assert.True(Finds(text, words));

    [Theory]
    [InlineData("1000 of them", "100")]
    [InlineData("203.0.113.100/32 moved", "203.0.113.10")]
    [InlineData("node-a moved", "node-b")]
    [InlineData("node-a moved", "\\")]
    [InlineData("node-a moved", "node-a gone")]
    public void Text_WithoutTheWord_IsNotFound(string text, string words) => Assert.False(Finds(text, words));

    [Fact]
    public void Terms_OfAnyText_AreAsciiWithoutWhatTheIndexWouldCutThemAt() => Gen.String.Sample(text =>
    {
        string terms = SearchTerms.Of(Event(text));
        Assert.All(terms, c => Assert.True(char.IsAsciiLetterOrDigit(c) || c == ' ' || SearchTerms.TokenCharacters.Contains(c, StringComparison.Ordinal), $"'{c}' in '{terms}'"));
        Assert.All(SearchTerms.Of(new HistoryFilter { Text = text }), t => Assert.All(t, c => Assert.True(char.IsAscii(c) && c != '"')));
    });

    /// <summary>Every moment of a span has one of its terms; a moment that is outside, and not in the minutes at its ends, has none.</summary>
    [Fact]
    public void Span_IsCoveredByItsTermsAndByNoOthers()
    {
        long first = new DateTimeOffset(2025, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
        long last = new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
        Gen.Select(Gen.Long[first, last], Gen.Long[1, 40_000_000_000], Gen.Long[first, last]).Sample((from, length, at) =>
        {
            DateTime start = DateTimeOffset.FromUnixTimeMilliseconds(from).UtcDateTime;
            DateTime end = start.AddMilliseconds(length);
            HashSet<string> terms = [.. TimeTerms.Cover(start, end)!];

            Assert.Contains(TimeTerms.Of(from), terms.Contains);
            Assert.Contains(TimeTerms.Of(from + length - 1), terms.Contains);
            bool inside = at >= from && at < from + length;
            bool outside = at < from - 60_000 || at >= from + length + 60_000;
            bool found = TimeTerms.Of(at).Any(terms.Contains);
            Assert.True((!inside || found) && (!outside || !found));
        });
    }

    [Fact]
    public void Span_OfManyYears_TakesFewTerms() =>
        Assert.InRange(TimeTerms.Cover(new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc), new DateTime(2026, 11, 29, 23, 59, 0, DateTimeKind.Utc))!.Value.Length, 1, 150);

    [Fact]
    public void Span_ToTheEndOfTheCalendar_Ends() => Assert.Null(TimeTerms.Cover(DateTime.MinValue, DateTime.MaxValue));

    private static bool Finds(string text, string words)
    {
        HashSet<string> terms = [.. SearchTerms.Of(Event(text)).Split(' ')];
        return SearchTerms.Of(new HistoryFilter { Text = words }).TrueForAll(t => t.EndsWith('*') ? terms.Any(x => x.StartsWith(t[..^1], StringComparison.Ordinal)) : terms.Contains(t));
    }
}
