using System.Text;
using CsCheck;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Agents;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using Google.Protobuf;
using BgpSessionState = FailoverHub.Web.Fleet.BgpSessionState;
using Role = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Agents;

public sealed class AgentMappingTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("web-1", true)]
    [InlineData("a", true)]
    [InlineData("Lon.eu_1", true)]
    [InlineData("", false)]
    [InlineData("-web", false)]
    [InlineData("web 1", false)]
    [InlineData("web-1\n", false)]
    [InlineData("wéb", false)]
    [InlineData("../etc", false)]
    public void NodeName_IsLettersDigitsDotsDashesUnderscores(string name, bool good) =>
        Assert.Equal(good, AgentMapping.Parse(new Hello { Node = name, BootId = "b" }).Problem is null);

    [Fact]
    public void NodeName_HasAtMost63Characters()
    {
        Assert.Null(AgentMapping.Parse(new Hello { Node = new string('x', 63), BootId = "b" }).Problem);
        Assert.NotNull(AgentMapping.Parse(new Hello { Node = new string('x', 64), BootId = "b" }).Problem);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("b", "frankfurt")]
    public void Hello_WithoutABootIdOrWithAWordAsDataCenter_IsRefused(string boot, string dataCenter) =>
        Assert.NotNull(AgentMapping.Parse(new Hello { Node = "web-1", BootId = boot, DataCenter = dataCenter }).Problem);

    [Theory]
    [InlineData(1UL << 53, true)]
    [InlineData((1UL << 53) + 1, false)]
    [InlineData((ulong)long.MaxValue, false)]
    [InlineData(ulong.MaxValue, false)]
    public void Revision_LeavesTheHubRoomToCountOn(ulong revision, bool good)
    {
        Assert.Equal(good, AgentMapping.Parse(new Hello { Node = "web-1", BootId = "b", IntentRevision = revision }).Problem is null);
        Assert.Equal(good, AgentMapping.Parse(new NodeReport { IntentRevision = revision }).Problem is null);
        Assert.Equal(good, AgentMapping.Parse(new IntentResult { Revision = revision, Outcome = IntentResult.Types.Outcome.Applied }).Problem is null);
    }

    [Theory]
    [InlineData("203.0.113.10/24")]
    [InlineData("web")]
    [InlineData("")]
    public void Prefix_ThatIsNone_IsRefusedByName(string prefix)
    {
        var report = new NodeReport { Prefixes = { new PrefixReport { Prefix = prefix } } };

        Assert.Contains($"'{prefix}'", AgentMapping.Parse(report).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void SamePrefixTwice_IsRefused()
    {
        var report = new NodeReport { Prefixes = { new PrefixReport { Prefix = "203.0.113.10/32" }, new PrefixReport { Prefix = "203.0.113.10/32" } } };

        Assert.Contains("twice", AgentMapping.Parse(report).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void WithdrawnPrefix_HasNoReportedRoleWhateverTheAgentSays()
    {
        var report = new NodeReport { Prefixes = { new PrefixReport { Prefix = "203.0.113.10/32", ReportedRole = Role.Primary, Announced = false, WithdrawnReason = FailoverHub.Protos.V1.WithdrawnReason.Drained } } };

        var view = Assert.Single(AgentMapping.Parse(report).Value!.Prefixes);
        Assert.Equal((null, Web.Fleet.WithdrawnReason.Drained), (view.ReportedRole, view.WithdrawnReason));
    }

    [Fact]
    public void WordsOfANewerAgent_AreNotKnownInsteadOfRefused()
    {
        var report = new NodeReport
        {
            Health = (FailoverHub.Protos.V1.Health)99,
            Sessions = { new SessionReport { Neighbor = "127.34.0.1", State = (SessionState)99, HoldTimeSeconds = 70_000, StateSinceUnixMs = long.MaxValue, Flaps = uint.MaxValue } },
        };

        var parsed = AgentMapping.Parse(report).Value!;
        Assert.Equal(Web.Fleet.Health.Unknown, parsed.Health);
        var session = Assert.Single(parsed.Sessions);
        Assert.Equal((BgpSessionState.Idle, null, null, int.MaxValue), (session.State, session.StateSince, session.HoldTime, session.Flaps));
    }

    [Theory]
    [InlineData(new ulong[] { 1, 2, 5 }, true)]
    [InlineData(new ulong[] { 7, 8 }, true)]
    [InlineData(new ulong[] { 0 }, false)]
    [InlineData(new ulong[] { 2, 2 }, false)]
    [InlineData(new ulong[] { 2, 1 }, false)]
    [InlineData(new ulong[] { }, false)]
    [InlineData(new[] { ulong.MaxValue }, false)]
    public void JournalNumbers_BeginAtOneAndGrow(ulong[] sequences, bool good)
    {
        var batch = new JournalBatch { BootId = "b" };
        batch.Entries.AddRange(sequences.Select(s => new JournalEntry { Sequence = s, Kind = "announced", Text = "x" }));

        Assert.Equal(good, AgentMapping.Parse(batch, "web-1", null, Now).Problem is null);
    }

    [Theory]
    [InlineData("plain words", "plain words")]
    [InlineData("two\nlines\tand\u001b[31m a colour", "two lines and [31m a colour")]
    [InlineData("turned \u202e round", "turned   round")]
    [InlineData("a whole \ud83d\ude00 one", "a whole \ud83d\ude00 one")]
    public void Text_OfAnAgent_IsOneLineThatAnyDatabaseTakes(string sent, string kept) => Assert.Equal(kept, AgentText.Sentence(sent));

    // Not as data of an attribute: what stands in one has been encoded already.
    [Fact]
    public void Text_WithHalfACharacter_SaysThatSomethingWasThere() => Assert.Equal("half \ufffd a face, \ufffd", AgentText.Sentence("half \ud83d a face, \ude00"));

    [Fact]
    public void Text_ThatIsCutThroughAnEmoji_EndsWithSomethingThatCanBeEncoded()
    {
        string cut = AgentText.Sentence(new string('x', AgentText.MaxSentence - 1) + "\ud83d\ude00");

        Assert.Equal(AgentText.MaxSentence, cut.Length);
        Assert.Equal(cut, new UTF8Encoding(false, true).GetString(new UTF8Encoding(false, true).GetBytes(cut)));
    }

    [Theory]
    [InlineData(253_402_300_799_000)]
    [InlineData(1_000)]
    public void JournalEntry_OfAClockThatIsYearsOff_HasTheTimeAtWhichItCame(long unixMs)
    {
        var batch = new JournalBatch { BootId = "b", Entries = { new JournalEntry { Sequence = 1, AtUnixMs = unixMs, Kind = "announced", Text = "x" } } };

        Assert.Equal(Now, Assert.Single(AgentMapping.Parse(batch, "web-1", null, Now).Value!).Event.At);
    }

    [Fact]
    public void JournalEntry_BecomesAnEventWithTheNodesTime()
    {
        var batch = new JournalBatch
        {
            BootId = "b",
            Entries = { new JournalEntry { Sequence = 1, AtUnixMs = Now.AddSeconds(-5).ToUnixTimeMilliseconds(), Kind = "session-lost", Neighbor = "127.34.0.1", Text = "The hold timer ran out.", OperationId = "op" } },
        };

        var item = Assert.Single(AgentMapping.Parse(batch, "web-1", "web", Now).Value!).Event;
        Assert.Equal((Now.AddSeconds(-5), "session-lost", EventSeverity.Warning, "web", "web-1", "op"), (item.At, item.Kind, item.Severity, item.Pair, item.Node, item.OperationId));
        Assert.Equal("The hold timer ran out. (127.34.0.1)", item.Text);
    }

    [Theory]
    [InlineData("203.0.113.11/32 is no longer wanted here and not announced, but stays on lo", EventSeverity.Warning)]
    [InlineData("the addresses on the interfaces are as they are to be again", EventSeverity.Info)]
    public void JournalEntry_OfAnAddressThatStays_IsAWarning_AndItsEndIsNone(string text, EventSeverity severity)
    {
        var batch = new JournalBatch { BootId = "b", Entries = { new JournalEntry { Sequence = 1, AtUnixMs = Now.ToUnixTimeMilliseconds(), Kind = "address-problem", Text = text } } };

        Assert.Equal(severity, Assert.Single(AgentMapping.Parse(batch, "web-1", null, Now).Value!).Event.Severity);
    }

    [Fact]
    public void Intent_GoesOutWhole()
    {
        var intent = new IntentFacts { Revision = 7, Drained = true, Roles = IntentFacts.RolesFrom([(System.Net.IPNetwork.Parse("203.0.113.10/32"), Web.Fleet.Role.Secondary)]), OperationId = "op", Reason = "why" };

        var message = AgentMapping.ToMessage(intent).Intent;

        Assert.Equal((7ul, true, "op", "why"), (message.Revision, message.Drained, message.OperationId, message.Reason));
        Assert.Equal(("203.0.113.10/32", Role.Secondary), (message.Prefixes.Single().Prefix, message.Prefixes.Single().Role));
    }

    /// <summary>Whatever bytes a message was made of, parsing says what is wrong and never throws.</summary>
    [Fact]
    public void AnyMessageThatDecodes_IsParsedOrRefused() => Gen.Byte.Array[0, 200].Sample(bytes =>
    {
        try
        {
            var message = AgentMessage.Parser.ParseFrom(bytes);
            _ = AgentMapping.Parse(message.Hello ?? new Hello());
            _ = AgentMapping.Parse(message.Report ?? new NodeReport());
            _ = AgentMapping.Parse(message.IntentResult ?? new IntentResult());
            _ = AgentMapping.Parse(message.Journal ?? new JournalBatch(), "web-1", null, Now);
        }
        catch (InvalidProtocolBufferException)
        {
            // Refused by the decoder, before it comes to us.
        }
    });
}
