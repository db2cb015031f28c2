using FailoverHub.Web.Api.Live;
using FailoverHub.Web.Api.Operations;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Api.Live;

/// <summary>Whoever reads operations may leave at any place.</summary>
public sealed class OperationStreamTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task ReaderThatLeaves_WhileTheNextChangeIsAwaited_EndsQuietly(int read)
    {
        var operations = new FakeOperations();
        operations.Publish(Make.Operation());
        operations.Publish(Make.Operation("op-2"));
        IAsyncEnumerator<OperationDto> stream = OperationStream.ReadAsync(operations, Stop).GetAsyncEnumerator(Stop);
        for (int i = 0; i < read; i++)
        {
            Assert.True(await stream.MoveNextAsync());
        }

        await stream.DisposeAsync();
    }
}
