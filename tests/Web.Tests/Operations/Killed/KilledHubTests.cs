using System.Net;
using System.Text.Json.Nodes;

namespace FailoverHub.Web.Tests.Operations.Killed;

/// <summary>
/// The hub as a process is killed with -9 while an operation of every kind is at each of its steps. Another one starts on what is on the disk, the nodes dial again
/// as they are: each operation is finished, undone or reported, exactly once, and at no moment two nodes are primary or both are drained.
/// </summary>
[Trait("Kind", "Process")]
public sealed class KilledHubTests(KilledHub killed) : IClassFixture<KilledHub>
{
    [Theory]
    [InlineData("demotion-lost", "Failed", "1", "the demotion arrived and was not obeyed")]
    [InlineData("demotion-obeyed", "Failed", "1", "the demotion was obeyed and its answer lost: taken back")]
    [InlineData("promotion-lost", "Failed", "1", "the promotion arrived and was not obeyed: the demotion is taken back")]
    [InlineData("promotion-obeyed", "Succeeded", "2", "the promotion was obeyed and its answer lost")]
    [InlineData("promotion-answered", "Succeeded", "2", "both had obeyed and said so")]
    [InlineData("back-lost", "Failed", "1", "what took the demotion back arrived and was not obeyed")]
    [InlineData("back-obeyed", "Failed", "1", "what took the demotion back was obeyed and its answer lost")]
    [InlineData("drain-lost", "Failed", "1", "the drain arrived and was not obeyed")]
    [InlineData("drain-obeyed", "Succeeded", "1", "the drain was obeyed and its answer lost")]
    [InlineData("undrain-lost", "Failed", "1", "the undrain arrived and was not obeyed")]
    [InlineData("undrain-obeyed", "Succeeded", "1", "the undrain was obeyed and its answer lost")]
    [InlineData("role-lost", "Failed", "1", "the new role arrived and was not obeyed")]
    [InlineData("role-obeyed", "Succeeded", null, "the new role was obeyed and its answer lost")]
    [InlineData("policy-obeyed", "Failed", "1", "one node had the new policy, the other was never told")]
    [InlineData("reset-asked", "Failed", "1", "the node was asked and had not answered")]
    [InlineData("forced", "Succeeded", "2", "the promotion was obeyed, and the other one came back with the new hub")]
    [InlineData("scheduled", "Succeeded", "2", "its time had not come: the next hub begins it")]
    [InlineData("frozen", "Succeeded", "1", "it was in force")]
    [InlineData("bulk-a", "Succeeded", "1", "the first drain of many was obeyed and its answer lost")]
    [InlineData("bulk", "Failed", null, "the bulk drain itself: nothing more of it is done")]
    [InlineData("failback-lost", "Failed", "2", "the demotion of a failback arrived and was not obeyed")]
    [InlineData("failback-obeyed", "Succeeded", "1", "the promotion of a failback was obeyed and its answer lost")]
    [InlineData("unfreeze-lost", "Succeeded", "1", "it was no longer frozen, and a node had not heard of it")]
    [InlineData("cancel-running", "Failed", "1", "it was cancelled and being taken back")]
    [InlineData("cancel-scheduled", "Cancelled", "1", "it was cancelled before its time")]
    [InlineData("unknown-lost", "Failed", "1", "its outcome was not known; the node had not obeyed")]
    [InlineData("unknown-obeyed", "Succeeded", "2", "its outcome was not known; the node had obeyed")]
    [InlineData("scheduled-lost", "Failed", "1", "its time had come; the demotion arrived and was not obeyed")]
    [InlineData("scheduled-obeyed", "Failed", "1", "its time had come; the demotion was obeyed and its answer lost: taken back")]
    public void KilledThere_TheNextHubEndsItOnce(string pair, string status, string? active, string where)
    {
        var operation = killed.Ended[pair];

        Assert.True(status == (string?)operation["status"], $"{where}: {operation}");
        Assert.Equal((status, (string?)operation["outcome"]), ((string?)killed.AtLast[pair]["status"], (string?)killed.AtLast[pair]["outcome"]));
        Assert.True(active is null || (string?)killed.PairsAfterwards[pair]["activeNode"] == $"{pair}-{active}", $"{where}: {killed.PairsAfterwards.GetValueOrDefault(pair)}");
        var told = $": {status.ToLowerInvariant()}.";
        Assert.Single(killed.Told[(string)operation["id"]!], text => text.Contains(told, StringComparison.Ordinal));
    }

    [Fact]
    public void KilledRightAfterItWasAccepted_ItIsDoneOrUndoneButNotForgotten()
    {
        var operation = killed.Ended["accepted"];

        // Where it was then is not known; that it was answered is, so it has to be there.
        var active = (string?)operation["status"] == "Succeeded" ? "accepted-2" : "accepted-1";
        Assert.Equal(active, (string?)killed.PairsAfterwards["accepted"]["activeNode"]);
        Assert.Single(killed.Told[(string)operation["id"]!], text => !text.Contains("not known", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("settling-lost", "what takes the demotion back had arrived and was not obeyed")]
    [InlineData("settling-obeyed", "what takes the demotion back was obeyed and its answer lost")]
    public void KilledWhileItSettles_TheNextHubSettlesItOnce(string pair, string where)
    {
        var operation = killed.AtLast[pair];

        Assert.True((string?)killed.Ended[pair]["status"] == "OutcomeUnknown" && (string?)operation["status"] == "Failed", $"{where}: {killed.Ended[pair]} {operation}");
        Assert.Equal($"{pair}-1", (string?)killed.PairsAfterwards[pair]["activeNode"]);
        Assert.Single(killed.Told[(string)operation["id"]!], text => text.Contains(": failed.", StringComparison.Ordinal));
    }

    /// <summary>It is under way still when the second hub is killed, wherever it is by then.</summary>
    [Theory]
    [InlineData("drill-there", "Succeeded ", "it moved the address: the promotion was obeyed and its answer lost")]
    [InlineData("drill-measured", "Succeeded ", "it had moved the address, and measured")]
    [InlineData("drill-back", "Succeeded Failed ", "it was on its way back: the demotion was obeyed and its answer lost, which is taken back and asked for again")]
    public void KilledDuringADrill_TheNextHubGoesOnWithItAndTheAddressComesBack(string pair, string moves, string where)
    {
        var drill = killed.AtLast[$"{pair}/drill"];
        var moved = string.Join(' ', Enumerable.Range(1, 9).Select(n => killed.AtLast.GetValueOrDefault($"{pair}/move-{n}")).OfType<JsonNode>().Select(move => (string?)move["status"]));

        Assert.True((string?)drill["status"] == "Succeeded", $"{where}: {drill}");
        Assert.Equal($"{pair}-1", (string?)killed.PairsAfterwards[pair]["activeNode"]);
        Assert.Single(killed.Told[(string)drill["id"]!], text => text.Contains(": succeeded.", StringComparison.Ordinal));
        Assert.True(moved.StartsWith(moves, StringComparison.Ordinal) && moved.EndsWith(" Succeeded", StringComparison.Ordinal), $"{where}: {moved}, {drill}");
    }

    /// <summary>Whatever it is and wherever it was: accepted, begun, each step and the end are told once, by the three hubs together, and nothing begins by itself.</summary>
    [Fact]
    public void Killed_EveryOperationIsAuditedBegunAndEndedOnce()
    {
        Assert.Equal(killed.Asked, killed.All.Count(o => !KilledHub.IsMoveOfDrill(o)));
        foreach (var operation in killed.All)
        {
            var (id, type) = ((string)operation["id"]!, (string)operation["type"]!);
            var what = $"{operation["pair"]}: {type}";

            // What a freeze makes the hub tell nodes, and what is taken back, has an entry for each intent: who came back without it was told again.
            string[] entries = [.. killed.Audit.Where(a => (string?)a["correlationId"] == id && (string?)a["action"] is not ("hold-failback" or "release-failback" or "take-back")).Select(a => $"{a["action"]} {a["outcome"]}, {a["target"]}")];

            // How the pair stands is told by each hub anew, also of an operation that outlives two of them.
            string[] events = [.. killed.Events[id].Where(e => (string?)e["kind"] != "pair-state-changed").Select(e => $"{e["kind"]} {e["text"]}")];

            Assert.True(entries.Distinct().Count() == entries.Length, $"{what} is audited twice: {string.Join(" | ", entries)}");
            Assert.Single(entries, entry => entry.StartsWith($"{type} accepted", StringComparison.Ordinal) && !entry.Contains("as scheduled", StringComparison.Ordinal));
            Assert.True(events.Distinct().Count() == events.Length, $"{what} is told twice: {string.Join(" | ", events)}");
            Assert.True(type is "freeze" or "unfreeze" || events.Count(e => e.StartsWith("operation-started ", StringComparison.Ordinal)) == 1, $"{what} has not begun once: {string.Join(" | ", events)}");
            Assert.Single(events, e => e.StartsWith("operation-finished ", StringComparison.Ordinal) && !e.Contains("its outcome is not known", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Killed_NoNodeIsSentWhatItHas() => Assert.Empty(killed.Repeated);

    [Fact]
    public void Killed_WhatIsFrozenStaysFrozen() => Assert.Equal(HttpStatusCode.Locked, killed.FrozenAnswer);

    [Fact]
    public void Killed_TheRestOfABulkDrainIsNotDone()
    {
        Assert.DoesNotContain("bulk-b", killed.Ended.Keys);
        Assert.Contains("nothing more is drained", (string?)killed.Ended["bulk"]["outcome"], StringComparison.Ordinal);
    }

    [Fact]
    public void Killed_TheAuditIsWhole() => Assert.True(killed.AuditIsIntact);

    [Fact]
    public void Killed_NeverTwoPrimariesOrBothDrained() => Assert.Empty(killed.Broken);
}
