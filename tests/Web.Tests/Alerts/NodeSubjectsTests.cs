using System.Collections.Immutable;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Book;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>What of alerts and shelves is about a node, and what follows it to another name.</summary>
public sealed class NodeSubjectsTests
{
    private static readonly AlertShelf Shelf = new("alice", Make.At, Make.At.AddDays(30), "Parts are on their way");

    [Theory]
    [InlineData("node:web-1", "node:lon-a")]
    [InlineData("node:WEB-1", "node:lon-a")]
    [InlineData("check:web-1/http/web-1", "check:lon-a/http/web-1")]
    [InlineData("check:web-1/", "check:lon-a/")]
    [InlineData("target:node:web-1", "target:node:lon-a")]
    [InlineData("operation:10/web-1/web-1/Drain", "operation:10/web-1/lon-a/Drain")]
    [InlineData("node:web-10", null)]
    [InlineData("pair:web-1", null)]
    [InlineData("target:web-1", null)]
    [InlineData("address:203.0.113.10/32", null)]
    [InlineData("operation:web-1//Switchover", null)]
    [InlineData("operation:web-1", null)]
    [InlineData("channel:web-1", null)]
    [InlineData("hub", null)]
    public void Subject_OfTheNodeFollowsIt(string subject, string? renamed)
    {
        Assert.Equal(renamed, NodeSubjects.Renamed(subject, "web-1", "lon-a"));
        Assert.Equal(renamed is not null, NodeSubjects.Names(subject, "web-1"));
    }

    [Theory]
    [InlineData("node web-1", "node lon-a")]
    [InlineData("check web-1 of web-1", "check web-1 of lon-a")]
    [InlineData("address of node web-1 (192.0.2.1)", "address of node lon-a (192.0.2.1)")]
    [InlineData("node web-10", "node web-10")]
    public void Words_FollowItToo(string about, string renamed) => Assert.Equal(renamed, NodeSubjects.AboutRenamed(about, "web-1", "lon-a"));

    [Fact]
    public void Book_HasAlertsShelvesAndWhatIsWaitedForUnderTheNewName()
    {
        AlertBook book = Book(Active("node:web-1"), Active("operation:id-web/web-1/Drain")) with
        {
            Rising = ImmutableDictionary<AlertKey, Lasting>.Empty.Add(Key("check:web-1/http"), Lasting.From(TimeSpan.Zero)),
            Clearing = ImmutableDictionary<AlertKey, Lasting>.Empty.Add(Key("node:web-1"), Lasting.From(TimeSpan.Zero)),
            Written = ImmutableDictionary<AlertKey, TimeSpan>.Empty.Add(Key("node:web-1"), TimeSpan.Zero),
            Told = ImmutableDictionary<AlertKey, TimeSpan>.Empty.Add(Key("node:web-1"), TimeSpan.Zero),
            Unwritten = [Key("node:web-1")],
            Shelves = ImmutableDictionary<AlertKey, AlertShelf>.Empty.Add(Key("node:web-1"), Shelf).Add(Key("operation:id-web/web-1/Drain"), Shelf).Add(Key("hub"), Shelf),
        };

        AlertBook after = NodeSubjects.Renamed(book, "web-1", "lon-a");

        // What was done keeps its name, and what comes is shelved as well.
        Assert.Equal([("node:lon-a", "lon-a", "node lon-a"), ("operation:id-web/web-1/Drain", "web-1", "node web-1")], after.Active.Values.Select(a => (a.Key.Subject, a.Node!, a.About)).Order());
        Assert.All(after.Active, a => Assert.Equal(a.Key, a.Value.Key));
        Assert.Equal(["check:lon-a/http"], after.Rising.Keys.Select(k => k.Subject));
        Assert.All([after.Clearing.Keys, after.Written.Keys, after.Told.Keys, after.Unwritten], keys => Assert.Equal(["node:lon-a"], keys.Select(k => k.Subject)));
        Assert.Equal(["hub", "node:lon-a", "operation:id-web/lon-a/Drain", "operation:id-web/web-1/Drain"], after.Shelves.Keys.Select(k => k.Subject).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void NameThatAnotherNodeHadUntilNow_KeepsWhatStandsThere()
    {
        Alert old = Active("node:lon-a") with { Id = "of the other" };

        AlertBook after = NodeSubjects.Renamed(Book(Active("node:web-1"), old), "web-1", "lon-a");

        Assert.Equal("of the other", after.Active[Key("node:lon-a")].Id);
        Assert.Equal(2, after.Active.Count);
    }

    [Fact]
    public void Removed_TakesItsShelvesWithItAndNoOthers()
    {
        AlertBook book = Book(Active("node:web-1") with { Shelf = Shelf }) with
        {
            Shelves = ImmutableDictionary<AlertKey, AlertShelf>.Empty.Add(Key("node:web-1"), Shelf).Add(Key("check:web-1/http"), Shelf).Add(Key("node:web-10"), Shelf),
        };

        AlertBook after = NodeSubjects.Removed(book, "web-1");

        Assert.Equal(["node:web-10"], after.Shelves.Keys.Select(k => k.Subject));
        Assert.Null(Assert.Single(after.Active).Value.Shelf);
    }

    private static AlertKey Key(string subject) => new("rule", subject);

    private static AlertBook Book(params Alert[] active) => AlertBook.Empty with { Active = active.ToImmutableDictionary(a => a.Key) };

    private static Alert Active(string subject) => new()
    {
        Id = subject, Key = Key(subject), Kind = AlertKind.NodeLink, RuleName = "Silent node", Severity = EventSeverity.Warning, About = "node web-1", Node = "web-1", Text = "It is silent.", RaisedAt = Make.At,
    };
}
