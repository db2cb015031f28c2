using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Control;

namespace FailoverHub.Agent.Tests.Control;

public sealed class NodeClaimTests
{
    private readonly string _node = $"claimed-{Guid.NewGuid():N}";
    private readonly NeighborEndpoint _neighbor = new(IPAddress.Parse("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), 65535);
    private readonly List<string> _warnings = [];

    [Fact]
    public void Claimed_AnotherOneIsRefused_AndSaysWhoHasIt_UntilItIsGivenUp()
    {
        var (first, _) = Take();
        Assert.NotNull(first);

        var (second, problem) = Take();
        Assert.Null(second);
        Assert.Contains($"process {Environment.ProcessId}", problem, StringComparison.Ordinal);
        Assert.Contains("--node", problem, StringComparison.Ordinal);

        first.Dispose();
        var (third, _) = Take();
        Assert.NotNull(third);
        third.Dispose();
    }

    [Fact]
    public void OtherNodeOrOtherNeighbor_IsNoneOfItsBusiness()
    {
        using var held = Take().Claim;
        using var otherNode = NodeClaim.Take(_node + "2", _neighbor, NodeUsers.OnThisMachine("/").Includes, _warnings.Add).Claim;
        using var otherNeighbor = NodeClaim.Take(_node, _neighbor with { Port = 179 }, NodeUsers.OnThisMachine("/").Includes, _warnings.Add).Claim;

        Assert.NotNull(otherNode);
        Assert.NotNull(otherNeighbor);
        Assert.Empty(_warnings);
    }

    [Fact]
    public void LongestNameOfANode_FitsIn()
    {
        using var held = NodeClaim.Take(new string('n', 63), _neighbor, NodeUsers.OnThisMachine("/").Includes, _warnings.Add).Claim;

        Assert.NotNull(held);
    }

    [Fact]
    public async Task HolderWhoNeverAnswers_StillSaysWhoItIs_OrIsToldAbout()
    {
        using var held = Take().Claim;
        var name = new UnixDomainSocketEndPoint($"\0fohub/{_node}/{Convert.ToHexStringLower(_neighbor.Address.GetAddressBytes())}ffff");
        using var asker = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await asker.ConnectAsync(name, TestContext.Current.CancellationToken);
        using var another = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await another.ConnectAsync(name, TestContext.Current.CancellationToken);

        // Its queue is full: who it is cannot be asked any more, and must not keep the node out of service.
        Assert.Equal(((NodeClaim?)null, (string?)null), Take());
        Assert.Contains("both announce", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void HeldByAUserWhoseAgentsDoNotCount_IsIgnored_WithAWarning()
    {
        using var held = Take().Claim;
        uint? asked = null;

        Assert.Equal(((NodeClaim?)null, (string?)null), NodeClaim.Take(_node, _neighbor, user => (asked = user) is null, _warnings.Add));
        Assert.Contains($"process {Environment.ProcessId} of user {asked} holds the name '{_node}'", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    private (NodeClaim? Claim, string? Problem) Take() => NodeClaim.Take(_node, _neighbor, NodeUsers.OnThisMachine("/").Includes, _warnings.Add);
}
