using FailoverHub.Protos.V1;
using Grpc.Core;

namespace FailoverHub.Agent.Hub.Channels;

/// <summary>The first word on a stream.</summary>
internal static class Greeting
{
    /// <summary>
    /// Says it. A hub that turns the node away has answered before it has read anything, and then the writing breaks off on either side of its answer: that is read
    /// next, and says why.
    /// </summary>
    public static async Task SayAsync(AsyncDuplexStreamingCall<AgentMessage, HubMessage> call, AgentMessage hello, CancellationToken cancellationToken)
    {
        try
        {
            await call.RequestStream.WriteAsync(hello, cancellationToken);
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException && !cancellationToken.IsCancellationRequested)
        {
            // Whoever reads the answer is told the rest.
        }
    }
}
