using FailoverHub.Agent.Control.Claims;

namespace FailoverHub.Agent.Tests.Control;

/// <summary>A service that runs as a user of its own and root beside it are one node's agents; somebody else's program is not.</summary>
public sealed class NodeUsersTests
{
    private const uint Service = 997;
    private const uint Somebody = 1000;

    [Theory]
    [InlineData(0, Service)]
    [InlineData(0, 0)]
    [InlineData(Service, 0)]
    [InlineData(Somebody, Service)]
    [InlineData(Somebody, Somebody)]
    public void RootOurOwnUserAndTheServices_Count(uint own, uint other) => Assert.True(new NodeUsers(own, Service, null).Includes(other));

    [Theory]
    [InlineData(0)]
    [InlineData(Service)]
    public void SomebodyElse_DoesNotCount(uint own) => Assert.False(new NodeUsers(own, Service, own).Includes(Somebody));

    [Fact]
    public void OwnerOfTheStateDirectory_CountsForRoot_AndForNobodyElse()
    {
        Assert.True(new NodeUsers(0, null, Somebody).Includes(Somebody));
        Assert.False(new NodeUsers(Service, null, Somebody).Includes(Somebody));
    }

    [Fact]
    public void NamedAccount_IsFoundByItsWholeName()
    {
        string[] accounts = ["root:x:0:0:root:/root:/bin/sh", "failoverhub2:x:5:5::/:/bin/false", "", "nonsense", "failoverhub:x:997:997::/:/bin/false"];

        Assert.Equal(Service, NodeUsers.Named("failoverhub", accounts));
        Assert.Null(NodeUsers.Named("failoverhub", accounts[..4]));
    }

    [Fact]
    public void OnThisMachine_KnowsWhoseTheDirectoryIs_AndManagesWithoutOne()
    {
        using var directory = new TemporaryDirectory();
        var users = NodeUsers.OnThisMachine(directory.Root);

        Assert.Equal(users.Own, users.StateOwner);
        Assert.Equal(0u, NodeUsers.OnThisMachine("/").StateOwner);
        Assert.Null(NodeUsers.OnThisMachine(directory.At("nothing")).StateOwner);
    }
}
