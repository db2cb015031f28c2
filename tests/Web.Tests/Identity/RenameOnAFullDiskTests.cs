using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Data;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Identity;

/// <summary>While a node is renamed no operation begins, so a disk that takes nothing is waited for ten seconds and no longer.</summary>
[Trait("Kind", "Hub")]
public sealed class RenameOnAFullDiskTests : TlsHubTest
{
    private readonly FullDisk _disk = new();

    private protected override void Configure(IServiceCollection services) => _disk.Install(services);

    [Fact]
    public async Task Rename_WhileTheDiskTakesNothing_IsGivenUpAfterTenSecondsAndTheNodeKeepsItsName()
    {
        var node = await JoinedAsync("web-1");
        await using var agent = await node.ConnectAsync(Url);
        await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected);
        await Hub.Writer.FlushAsync(Stop);
        _disk.IsFull = true;
        Hub.Get<EventLog>().Append(EventKinds.NodeFound, "What cannot be written now.");
        var asked = Time.GetUtcNow();

        var renaming = Hub.Get<NodeChanges>().RenameAsync("web-1", "lon-a", "new naming scheme", Admin, Stop);
        Assert.Equal(StatusCode.Unavailable, (await agent.Ended.WaitAsync(Stop))!.StatusCode);
        Time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(renaming.IsCompleted);
        var operation = Hub.Operations.SubmitAsync(new OperationRequest { Type = OperationType.Drain, Node = "web-1", Reason = "kernel update" }, Admin with { Rights = Rights.All }, Stop);
        var since = System.Diagnostics.Stopwatch.GetTimestamp();
        while (!renaming.IsCompleted)
        {
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(60), "It was not given up.");
            Time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }

        // What was asked for meanwhile is told that it cannot be audited, instead of waiting for the disk.
        Assert.Contains("cannot write its history", Assert.IsType<NodeChange.NotAudited>(await renaming).Why, StringComparison.Ordinal);
        Assert.IsType<SubmitResult.Unavailable>(await operation);
        Assert.True(Time.GetUtcNow() - asked >= TimeSpan.FromSeconds(10));
        _disk.IsFull = false;
        await using var again = await node.ConnectAsync(Url);
        await Hub.UntilAsync(s => s.FindNode("web-1")?.Link == NodeLink.Connected && s.FindNode("lon-a") is null);
    }
}
