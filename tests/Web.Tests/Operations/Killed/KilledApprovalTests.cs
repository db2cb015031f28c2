using System.Net;
using System.Text.Json.Nodes;

namespace FailoverHub.Web.Tests.Operations.Killed;

/// <summary>
/// One life of a hub in which operations wait for a second person, or have just been decided by one, when it is killed with -9; what the next one makes of them, and what a third one still knows.
/// </summary>
public sealed class KilledApprovals : IAsyncLifetime
{
    private static readonly string[] Pairs = ["waiting", "approved-lost", "approved-obeyed", "approved-scheduled", "approved-now", "rejected"];

    private KillLab _lab = null!;

    /// <summary>Operations by their pair, as the second hub has them.</summary>
    internal Dictionary<string, JsonNode> Afterwards { get; } = [];

    /// <summary>The same, as the third hub has them, when the one that still waited was approved.</summary>
    internal Dictionary<string, JsonNode> AtLast { get; } = [];

    /// <summary>Entries of each operation, by its id: "approve accepted".</summary>
    internal ILookup<string, string> Audit { get; private set; } = null!;

    internal ILookup<string, string> Events { get; private set; } = null!;

    internal IReadOnlyList<string> Broken { get; private set; } = [];

    internal HttpStatusCode SecondApproval { get; private set; }

    public async ValueTask InitializeAsync()
    {
        _lab = await KillLab.WithTwoPeopleAsync(Pairs);
        Task[] stops = [_lab.One("approved-lost").StopAt(1, obeys: false), _lab.Two("approved-obeyed").StopAt(1, obeys: true)];
        foreach (var pair in Pairs)
        {
            var later = pair == "approved-scheduled" ? $",\"startAt\":\"{TimeProvider.System.GetUtcNow().AddHours(1):O}\"" : "";
            Assert.Equal(HttpStatusCode.Accepted, await _lab.Hub.PostAsync($"/api/v1/pairs/{pair}/operations", $$"""{"type":"switchover","target":"{{pair}}-2","reason":"killed on the way"{{later}}}"""));
        }

        await DecideAsync("approved-lost", "approve");
        await DecideAsync("approved-obeyed", "approve");
        await Task.WhenAll(stops);
        await DecideAsync("approved-scheduled", "approve");
        await DecideAsync("rejected", "reject");
        await DecideAsync("approved-now", "approve");
        await _lab.KillAndRestartAsync();

        await KeepAsync(Afterwards, "waiting", "approved-scheduled");
        SecondApproval = await TryAsync("approved-scheduled", "approve");
        await DecideAsync("waiting", "approve");
        await KeepAsync(AtLast, "approved-scheduled");
        await _lab.KillAndRestartAsync();

        await KeepAsync(AtLast, "approved-scheduled");
        Audit = (await ItemsAsync("/api/v1/audit?limit=500")).Where(a => a["correlationId"] is not null).ToLookup(a => (string)a["correlationId"]!, a => $"{a["action"]} {a["outcome"]}");
        Events = (await ItemsAsync("/api/v1/events?limit=500")).Where(e => e["operation"] is not null).ToLookup(e => (string)e["operation"]!, e => $"{e["kind"]} {e["text"]}");
        Broken = [.. _lab.Broken, .. _lab.Repeated];
    }

    public ValueTask DisposeAsync() => _lab?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task DecideAsync(string pair, string what) => Assert.Equal(HttpStatusCode.Accepted, await TryAsync(pair, what));

    private async Task<HttpStatusCode> TryAsync(string pair, string what)
    {
        var id = (string)(await ItemsAsync("/api/v1/operations?limit=500")).Single(o => (string?)o["pair"] == pair)["id"]!;
        return await _lab.Hub.PostAsync($"/api/v1/operations/{id}/{what}", """{"reason":"I have looked at it"}""", _lab.Bob);
    }

    private async Task<IEnumerable<JsonNode>> ItemsAsync(string path) => (await _lab.Hub.GetAsync(path))["items"]!.AsArray().Select(item => item!);

    private async Task KeepAsync(Dictionary<string, JsonNode> operations, params string[] except)
    {
        foreach (var operation in await _lab.AllEndedAsync(except))
        {
            operations[(string)operation["pair"]!] = operation;
        }
    }
}

/// <summary>Two people and a hub that is killed with -9 between them: what was decided is decided, what was not still waits, and each is told once.</summary>
[Trait("Kind", "Process")]
public sealed class KilledApprovalTests(KilledApprovals killed) : IClassFixture<KilledApprovals>
{
    [Theory]
    [InlineData("waiting", "PendingApproval", "Succeeded")]
    [InlineData("approved-lost", "Failed", "Failed")]
    [InlineData("approved-obeyed", "Succeeded", "Succeeded")]
    [InlineData("approved-scheduled", "Queued", "Queued")]
    [InlineData("rejected", "Refused", "Refused")]
    public void KilledThere_TheNextHubGoesOnFromThere(string pair, string afterwards, string atLast)
    {
        Assert.True(afterwards == (string?)killed.Afterwards[pair]["status"], $"{pair}: {killed.Afterwards[pair]}");
        Assert.True(atLast == (string?)killed.AtLast[pair]["status"], $"{pair}: {killed.AtLast[pair]}");
        Assert.Equal(pair is "waiting" or "rejected" ? null : "token bob of bob", (string?)killed.Afterwards[pair]["approvedBy"]);
    }

    [Fact]
    public void KilledRightAfterItWasApproved_ItIsDoneOrUndoneButNotForgotten() =>
        Assert.True((string?)killed.Afterwards["approved-now"]["status"] is "Succeeded" or "Failed", killed.Afterwards["approved-now"].ToString());

    [Fact]
    public void ApprovedAndKilled_IsNotApprovedOnceMore() => Assert.Equal(HttpStatusCode.Conflict, killed.SecondApproval);

    [Fact]
    public void Killed_EachIsAskedForDecidedAndEndedOnce()
    {
        foreach (var (pair, operation) in killed.AtLast)
        {
            string[] entries = [.. killed.Audit[(string)operation["id"]!]];
            string[] events = [.. killed.Events[(string)operation["id"]!]];
            Assert.True(entries.Distinct().Count() == entries.Length && events.Distinct().Count() == events.Length, $"{pair}: {string.Join(" | ", [.. entries, .. events])}");
            Assert.Single(entries, entry => entry == "switchover accepted, waits for a second person");
            Assert.Single(entries, entry => entry == (pair == "rejected" ? "reject accepted" : "approve accepted"));
            Assert.True(entries.Count(entry => entry == "switchover accepted, approved by token bob of bob") == (pair is "rejected" or "approved-scheduled" ? 0 : 1), $"{pair}: {string.Join(" | ", entries)}");
            Assert.Single(events, e => e.StartsWith("operation-started ", StringComparison.Ordinal));
            Assert.Equal(pair == "approved-scheduled" ? 0 : 1, events.Count(e => e.StartsWith("operation-finished ", StringComparison.Ordinal) && !e.Contains("not known", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void Killed_NeverTwoPrimariesOrBothDrained_AndNothingIsSentTwice() => Assert.Empty(killed.Broken);
}
