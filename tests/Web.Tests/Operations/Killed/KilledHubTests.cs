using System.Net;

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
    public void KilledThere_TheNextHubEndsItOnce(string pair, string status, string? active, string where)
    {
        var operation = killed.Ended[pair];

        Assert.True(status == (string?)operation["status"], $"{where}: {operation}");
        Assert.Equal((status, (string?)operation["outcome"]), ((string?)killed.AfterOneMoreKill[pair]["status"], (string?)killed.AfterOneMoreKill[pair]["outcome"]));
        Assert.True(active is null || (string?)killed.PairsAfterwards[pair]["activeNode"] == $"{pair}-{active}", $"{where}: {killed.PairsAfterwards.GetValueOrDefault(pair)}");
        var told = status == "Succeeded" ? ": succeeded." : ": failed.";
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
