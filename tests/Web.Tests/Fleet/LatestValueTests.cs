using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Tests.Fleet;

public sealed class LatestValueTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SlowReader_SkipsToTheNewest()
    {
        var value = new LatestValue<int>(1);
        await using var reader = value.WatchAsync(Cancellation).GetAsyncEnumerator(Cancellation);
        Assert.True(await reader.MoveNextAsync());
        Assert.Equal(1, reader.Current);

        value.Publish(2);
        value.Publish(3);

        Assert.True(await reader.MoveNextAsync());
        Assert.Equal(3, reader.Current);
    }

    [Fact]
    public async Task CancelledReader_EndsQuietly()
    {
        var value = new LatestValue<int>(1);
        using var cancel = new CancellationTokenSource();
        await using var reader = value.WatchAsync(cancel.Token).GetAsyncEnumerator(Cancellation);
        await reader.MoveNextAsync();
        var next = reader.MoveNextAsync();

        await cancel.CancelAsync();

        Assert.False(await next);
    }
}
