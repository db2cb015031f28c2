using FailoverHub.Web.Agents.Limits;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Tests.Agents;
using Grpc.Core;
using Microsoft.EntityFrameworkCore;
using Role = FailoverHub.Protos.V1.Role;

namespace FailoverHub.Web.Tests.Identity;

/// <summary>Renewal, expiry, revocation, copies, renaming and removal of nodes, over the real port with real certificates.</summary>
[Trait("Kind", "Hub")]
public sealed class NodeLifeTests : TlsHubTest
{
    [Fact]
    public async Task Renew_GivesTheNextCertificateWithoutATokenAndLeavesTheStreamAlone()
    {
        var node = await JoinedAsync("web-1");
        await using var agent = await node.ConnectAsync(Url);
        await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);
        Time.Advance(TimeSpan.FromDays(20));

        var renewed = await node.RenewAsync(Url);

        Assert.Equal(("web-1", Time.GetUtcNow().AddDays(30).ToUnixTimeMilliseconds()), (renewed.Node, renewed.NotAfterUnixMs));
        await agent.ReportAsync();
        var seen = await Hub.UntilAsync(s => s.FindNode("web-1") is { Link: NodeLink.Connected, Identity.Renewals: 1 });
        Assert.Equal(renewed.NodeId, seen.FindNode("web-1")!.Identity!.NodeId);
        await using var again = await node.ConnectAsync(Url);
        Assert.Equal(StatusCode.Aborted, (await agent.Ended.WaitAsync(Stop))!.StatusCode);
        Assert.Equal("node web-1", Assert.Single(await AuditAsync("certificate-renewed")).Actor);
    }

    [Fact]
    public async Task Renew_AfterTheEnd_SaysWhatToDoAndTheNodeIsShownSo()
    {
        var node = await JoinedAsync("web-1");
        Time.Advance(TimeSpan.FromDays(31));

        var fault = await Assert.ThrowsAsync<RpcException>(() => node.RenewAsync(Url));
        var refused = await node.FailToConnectAsync(Url);

        Assert.All([fault, refused], f => Assert.Equal(StatusCode.Unauthenticated, f.StatusCode));
        Assert.All([fault, refused], f => Assert.Contains("expired on 2026-06-03", f.Status.Detail, StringComparison.Ordinal));
        Assert.All([fault, refused], f => Assert.Contains("failoverhub join-token create --node web-1 --for-existing", f.Status.Detail, StringComparison.Ordinal));
        var seen = (await Hub.UntilAsync(s => s.FindNode("web-1")?.Refusal is not null)).FindNode("web-1")!;
        Assert.Contains("expired", seen.Refusal, StringComparison.Ordinal);
        Assert.Equal(-1, seen.Identity!.DaysLeft(Time.GetUtcNow()));
        Assert.Single(await EventsAsync(EventKinds.NodeRefused));
    }

    [Fact]
    public async Task CertificatesThatAreRefusedInTurn_ForDifferentReasons_AreToldOfOnceInTenMinutes()
    {
        var node = await JoinedAsync("web-1");
        using var expired = new TestNode { Certificate = node.Certificate };
        Time.Advance(TimeSpan.FromDays(20));
        await node.RenewAsync(Url);
        await NewNode().JoinAsync(Url, await TokenAsync("web-1", forExisting: true), "web-1");
        Time.Advance(TimeSpan.FromDays(11));

        for (var i = 0; i < 3; i++)
        {
            Assert.Contains("expired on", (await expired.FailToConnectAsync(Url)).Status.Detail, StringComparison.Ordinal);
            await Hub.UntilAsync(s => s.FindNode("web-1")?.Refusal is not null);
            Time.Advance(TimeSpan.FromSeconds(2));
            Assert.Contains("newer certificates", (await node.FailToConnectAsync(Url)).Status.Detail, StringComparison.Ordinal);
            Time.Advance(TimeSpan.FromSeconds(2));
        }

        Assert.Contains("expired on", Assert.Single(await EventsAsync(EventKinds.NodeRefused)).Text, StringComparison.Ordinal);
        Time.Advance(RefusedCalls.ToldEvery);
        await node.FailToConnectAsync(Url);
        await Hub.UntilAsync(s => s.FindNode("web-1")?.Refusal?.Contains("newer certificates", StringComparison.Ordinal) == true);
        Assert.Equal(2, (await EventsAsync(EventKinds.NodeRefused)).Count);
    }

    [Fact]
    public async Task NodeThatWasAwayTooLong_JoinsAgainAsItselfAndTheRefusalIsGone()
    {
        var node = await JoinedAsync("web-1");
        var id = (await Hub.UntilAsync(s => s.FindNode("web-1")?.Identity is not null)).FindNode("web-1")!.Identity!.NodeId;
        Time.Advance(TimeSpan.FromDays(40));
        await node.FailToConnectAsync(Url);

        await node.JoinAsync(Url, await TokenAsync("web-1", forExisting: true), "web-1");

        await using var agent = await node.ConnectAsync(Url);
        var seen = await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);
        Assert.Equal((id, null), (seen.FindNode("web-1")!.Identity!.NodeId, seen.FindNode("web-1")!.Refusal));
    }

    [Fact]
    public async Task Renew_AgainAndAgain_IsStoppedBeforeItFillsTheTable()
    {
        var node = await JoinedAsync("web-1");
        for (var i = 0; i < 5; i++)
        {
            await node.RenewAsync(Url);
        }

        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(() => node.RenewAsync(Url))).StatusCode);
        await using var agent = await node.ConnectAsync(Url);
        await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);
    }

    [Fact]
    public async Task Renewals_WhoseAnswersTheNodeNeverKept_DoNotPushOutTheCertificateThatItHas()
    {
        var node = await JoinedAsync("web-1");
        var first = node.Certificate;
        for (var lost = 0; lost < 4; lost++)
        {
            await node.RenewAsync(Url);
            node.Certificate = first;
            Time.Advance(TimeSpan.FromHours(1));
        }

        await using (var agent = await node.ConnectAsync(Url))
        {
            await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);
        }

        // Neither do they come back with a restart, and the one that it has is still taken.
        await RestartAsync();
        var kept = Hub.Get<NodeRegister>().FindByName("web-1")!.Certificates;
        Assert.Equal(RegisteredNode.ValidAtOnce, kept.Count(c => !c.IsRevoked));
        await using var again = await node.ConnectAsync(Url);
        await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);
    }

    [Fact]
    public async Task Revoke_DropsTheLiveStreamAtOnceAndRefusesTheNextWithTheReason()
    {
        var node = await JoinedAsync("web-1");
        await using var agent = await node.ConnectAsync(Url);
        await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);

        var done = await Hub.Get<NodeChanges>().RevokeAsync("web-1", "the disk was stolen", Admin, Stop);

        Assert.IsType<NodeChange.Done>(done);
        var why = (await agent.Ended.WaitAsync(Stop))!;
        Assert.Equal(StatusCode.Unauthenticated, why.StatusCode);
        Assert.Contains("the disk was stolen.", why.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("the disk was stolen.", (await node.FailToConnectAsync(Url)).Status.Detail, StringComparison.Ordinal);
        Assert.Equal(StatusCode.Unauthenticated, (await Assert.ThrowsAsync<RpcException>(() => node.RenewAsync(Url))).StatusCode);
        var seen = await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Revoked);
        Assert.Equal("the disk was stolen.", seen.FindNode("web-1")!.Identity!.RevokedReason);
        var audited = Assert.Single(await AuditAsync("certificate-revoked"));
        Assert.Equal(("admin", "the disk was stolen", "accepted"), (audited.Actor, audited.Reason, audited.Outcome));

        await RestartAsync();
        Assert.Equal(NodeLink.Revoked, Hub.Fleet.Current.FindNode("web-1")!.Link);
        Assert.Contains("revoked", (await node.FailToConnectAsync(Url)).Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("web-1")]
    [InlineData("WEB-1")]
    public async Task Revoke_WithdrawsTheJoinTokensThatWouldUndoIt(string typed)
    {
        await JoinedAsync("web-1");
        var token = await TokenAsync(typed, forExisting: true);

        var done = Assert.IsType<NodeChange.Done>(await Hub.Get<NodeChanges>().RevokeAsync("web-1", "the disk was stolen", Admin, Stop));

        Assert.Contains("unused join tokens are withdrawn", done.Text, StringComparison.Ordinal);
        Assert.Equal(StatusCode.Unauthenticated, (await NewNode().FailToJoinAsync(Url, token, "web-1")).StatusCode);
        Assert.NotNull(Hub.Get<NodeRegister>().FindByName("web-1")!.RevokedAt);

        // One that is made afterwards is made on purpose.
        await NewNode().JoinAsync(Url, await TokenAsync("web-1", forExisting: true), "web-1");
    }

    [Fact]
    public async Task Remove_WithdrawsItsJoinTokensHoweverTheyAreSpelt()
    {
        await JoinedAsync("web-1");
        var token = await TokenAsync("Web-1", forExisting: true);

        Assert.IsType<NodeChange.Done>(await Hub.Get<NodeChanges>().RemoveAsync("web-1", "sold", Admin, Stop));

        Assert.NotNull(Assert.Single(await Hub.Get<JoinTokens>().ListAsync(Stop), t => t.ForExisting).WithdrawnAt);
        Assert.Equal(StatusCode.Unauthenticated, (await NewNode().FailToJoinAsync(Url, token, "web-1")).StatusCode);
    }

    [Fact]
    public async Task Rename_TakesItsJoinTokensAlongHoweverTheyAreSpelt()
    {
        var first = await JoinedAsync("web-1");
        var token = await TokenAsync("Web-1", forExisting: true);

        Assert.IsType<NodeChange.Done>(await Hub.Get<NodeChanges>().RenameAsync("web-1", "lon-a", "new naming scheme", Admin, Stop));

        Assert.Equal(StatusCode.Unauthenticated, (await NewNode().FailToJoinAsync(Url, token, "web-1")).StatusCode);
        await first.JoinAsync(Url, token, "lon-a");
    }

    [Fact]
    public async Task TokenForAnExistingNode_MakesNoOtherNodeWhenThatOneIsGone()
    {
        await JoinedAsync("web-1");
        var token = await TokenAsync("web-1", forExisting: true);
        Hub.Get<NodeRegister>().Load([]);

        Assert.Equal(StatusCode.Unauthenticated, (await NewNode().FailToJoinAsync(Url, token, "web-1")).StatusCode);

        Assert.Contains((await AuditAsync("node-joined")), a => a.Outcome.Contains("no node is called so now", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("web-1", "x", "at least 3 characters")]
    [InlineData("web-2", "stolen", "revoked already")]
    public async Task Revoke_ThatMakesNoSense_IsRefusedAndAudited(string name, string reason, string why)
    {
        await JoinedAsync("web-1");
        await JoinedAsync("web-2");
        await Hub.Get<NodeChanges>().RevokeAsync("web-2", "first", Admin, Stop);

        var refused = Assert.IsType<NodeChange.Refused>(await Hub.Get<NodeChanges>().RevokeAsync(name, reason, Admin, Stop));

        Assert.Contains(why, refused.Why, StringComparison.Ordinal);
        Assert.Single(await AuditAsync("certificate-revoked"), a => a.Outcome.StartsWith("refused", StringComparison.Ordinal));
    }

    [Fact]
    public async Task SecondMachineWithTheSameCertificate_IsRefusedTheFirstStaysAndBothAreShown()
    {
        var node = await JoinedAsync("web-1");
        await using var first = await node.ConnectAsync(Url);
        await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);

        var fault = await node.FailToConnectAsync(Url, boot: "boot-of-the-copy");

        Assert.Equal(StatusCode.AlreadyExists, fault.StatusCode);
        Assert.Contains("join as a node of its own", fault.Status.Detail, StringComparison.Ordinal);
        var seen = await Hub.UntilAsync(s => s.FindNode("web-1")?.CloneSign is not null);
        Assert.Equal(NodeLink.Connected, seen.FindNode("web-1")!.Link);
        await node.FailToConnectAsync(Url, boot: "boot-of-the-copy");
        Assert.Equal(EventSeverity.Critical, Assert.Single(await EventsAsync(EventKinds.NodeCloned)).Severity);

        Time.Advance(StreamAdmission.SignFor + TimeSpan.FromMinutes(1));
        await Hub.UntilAsync(s => s.FindNode("web-1")?.CloneSign is null);
    }

    [Fact]
    public async Task TwoMachinesThatTakeTurns_AreToldFromOneThatIsRestarted()
    {
        var node = await JoinedAsync("web-1");
        foreach (var boot in new[] { "run-1", "run-2", "run-3" })
        {
            await ComeAndGoAsync(node, boot);
        }

        Assert.Null(Hub.Fleet.Current.FindNode("web-1")!.CloneSign);

        await ComeAndGoAsync(node, "run-1");

        Assert.Contains("take turns", (await Hub.UntilAsync(s => s.FindNode("web-1")?.CloneSign is not null)).FindNode("web-1")!.CloneSign, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OlderCertificateThanTheLastOneUsed_IsASignOfACopy()
    {
        var node = await JoinedAsync("web-1");
        using var copy = new TestNode { Certificate = node.Certificate };
        Time.Advance(TimeSpan.FromDays(20));
        await node.RenewAsync(Url);
        await ComeAndGoAsync(node, "run-1");
        Assert.Null(Hub.Fleet.Current.FindNode("web-1")!.CloneSign);

        await ComeAndGoAsync(copy, "run-2");

        Assert.Contains("older certificate", (await Hub.UntilAsync(s => s.FindNode("web-1")?.CloneSign is not null)).FindNode("web-1")!.CloneSign, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rename_KeepsCertificatePairAndIntentAndItsHistoryKeepsTheOldName()
    {
        var (one, two) = (await JoinedAsync("web-1"), await JoinedAsync("web-2"));
        await using var first = await one.ConnectAsync(Url);
        await using var second = await two.ConnectAsync(Url, role: Role.Secondary);
        var before = (await Hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy)).FindPair("web")!;

        Assert.IsType<NodeChange.Done>(await Hub.Get<NodeChanges>().RenameAsync("web-1", "lon-a", "new naming scheme", Admin, Stop));

        Assert.Equal(StatusCode.Unavailable, (await first.Ended.WaitAsync(Stop))!.StatusCode);
        await using var again = await one.ConnectAsync(Url);
        var pair = (await Hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy)).FindPair("web")!;
        Assert.Equal(before.Id, pair.Id);
        Assert.Equal(["lon-a", "web-2"], pair.Members.Select(m => m.Node.Name));
        Assert.Equal(("lon-a", "lon-a"), (pair.PreferredNode, pair.ActiveNode));
        Assert.Null(Hub.Fleet.Current.FindNode("web-1"));
        Assert.Equal(["web-1", "web-2"], (await EventsAsync(EventKinds.NodeFound)).Concat(await EventsAsync(EventKinds.NodeJoined)).Select(e => e.Node!).Distinct().Order());
        Assert.Equal(["lon-a", "web-1"], (await EventsAsync(EventKinds.NodeRenamed)).Select(e => e.Node!).Order());

        await RestartAsync();
        Assert.Equal(["lon-a", "web-2"], Hub.Fleet.Current.Nodes.Select(n => n.Name));
        Assert.Equal(["lon-a", "web-2"], Hub.Fleet.Current.FindPair("web")!.Members.Select(m => m.Node.Name));
        await using var afterwards = await one.ConnectAsync(Url, boot: "boot-2");
        await Hub.UntilAsync(s => s.FindNode("lon-a")?.Link == NodeLink.Connected);
    }

    /// <summary>A machine that was removed and has joined again under another name gets its old one back.</summary>
    [Fact]
    public async Task Rename_ToTheNameOfARemovedNode_KeepsTheLargerNumberOfEachBootsJournal()
    {
        await JoinedAsync("web-1");
        await using (var db = Hub.OpenDatabase())
        {
            db.JournalPositions.AddRange(
                Position("lon-a", "boot-0", 3),
                Position("lon-a", "boot-1", 7),
                Position("web-1", "boot-1", 5),
                Position("lon-a", "boot-2", 2),
                Position("web-1", "boot-2", 4),
                Position("web-1", "boot-3", 1));
            await db.SaveChangesAsync(Stop);
        }

        Assert.IsType<NodeChange.Done>(await Hub.Get<NodeChanges>().RenameAsync("web-1", "lon-a", "its old name", Admin, Stop));

        await using var after = Hub.OpenDatabase();
        Assert.Equal(
            [("lon-a", "boot-0", 3), ("lon-a", "boot-1", 7), ("lon-a", "boot-2", 4), ("lon-a", "boot-3", 1)],
            (await after.JournalPositions.OrderBy(j => j.BootId).ToListAsync(Stop)).Select(j => (j.Node, j.BootId, j.Sequence)));
    }

    [Theory]
    [InlineData("no name!", "is no node name")]
    [InlineData("web-2", "There is another node web-2")]
    [InlineData("web-1", "called web-1 already")]
    public async Task Rename_ThatCannotBe_IsRefusedAndTheStreamStays(string newName, string why)
    {
        var node = await JoinedAsync("web-1");
        await JoinedAsync("web-2");
        await using var agent = await node.ConnectAsync(Url);
        await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);

        Assert.Contains(why, Assert.IsType<NodeChange.Refused>(await Hub.Get<NodeChanges>().RenameAsync("web-1", newName, "because", Admin, Stop)).Why, StringComparison.Ordinal);

        await agent.ReportAsync(r => r.Drained = true);
        await Hub.UntilAsync(s => s.FindNode("web-1")!.Drained);
    }

    [Fact]
    public async Task Remove_WaitsUntilTheNodeIsGoneAndThenForgetsIt()
    {
        var (one, two) = (await JoinedAsync("web-1"), await JoinedAsync("web-2"));
        var first = await one.ConnectAsync(Url);
        await using var second = await two.ConnectAsync(Url, role: Role.Secondary);
        await Hub.UntilAsync(s => s.FindPair("web")?.State == PairState.Healthy);
        var refused = Assert.IsType<NodeChange.Refused>(await Hub.Get<NodeChanges>().RemoveAsync("web-1", "sold", Admin, Stop));
        Assert.Contains("is connected", refused.Why, StringComparison.Ordinal);
        await first.DisposeAsync();
        await Hub.UntilAsync(s => s.FindNode("web-1")?.ConnectedSince is null);

        Assert.IsType<NodeChange.Done>(await Hub.Get<NodeChanges>().RemoveAsync("web-1", "sold", Admin, Stop));

        await Hub.UntilAsync(s => s.FindNode("web-1") is null && s.FindPair("web")!.Members.Length == 1);
        Assert.Contains("was removed", (await one.FailToConnectAsync(Url)).Status.Detail, StringComparison.Ordinal);
        Assert.NotEmpty(await EventsAsync(EventKinds.NodeRemoved));
        await RestartAsync();
        Assert.Equal(["web-2"], Hub.Fleet.Current.Nodes.Select(n => n.Name));

        // The name is free for another machine, which is another node.
        await NewNode().JoinAsync(Url, await TokenAsync(), "web-1");
    }

    [Fact]
    public async Task CertificateOfAnotherHub_OpensNothing()
    {
        using var folder = new TemporaryFolder();
        await using var other = await HubUnderTest.StartAsync(folder.Path, Time, tls: AgentsEndpoint.Default);
        var token = (await other.Get<JoinTokens>().CreateAsync(new JoinTokenRequest(null, false, JoinTokens.DefaultLifetime), Admin, Stop)).Token!.ToString();
        var node = NewNode();
        await node.JoinAsync(other.AgentUrl, token, "web-1");

        var fault = await node.FailToConnectAsync(Url);

        Assert.Equal(StatusCode.Unauthenticated, fault.StatusCode);
        Assert.Contains("not issued by this hub", fault.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoCertificate_OpensNothing()
    {
        var fault = await NewNode().FailToConnectAsync(Url);
        var renewal = await Assert.ThrowsAsync<RpcException>(() => NewNode().RenewAsync(Url));

        Assert.All([fault, renewal], f => Assert.Equal(StatusCode.Unauthenticated, f.StatusCode));
        Assert.All([fault, renewal], f => Assert.Contains("no client certificate", f.Status.Detail, StringComparison.Ordinal));
    }

    private static JournalPositionEntity Position(string node, string boot, long sequence) => new() { Node = node, BootId = boot, Sequence = sequence, UpdatedAtMs = 0 };

    private async Task ComeAndGoAsync(TestNode node, string boot)
    {
        var agent = await node.ConnectAsync(Url, boot: boot);
        await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);
        await agent.DisposeAsync();
        await Hub.UntilAsync(s => s.FindNode("web-1")?.ConnectedSince is null);
    }
}
