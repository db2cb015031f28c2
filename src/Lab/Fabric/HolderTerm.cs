using System.Net;

namespace FailoverHub.Lab.Fabric;

/// <summary>The time for which one node holds a shared address. When it ends, what was relayed to that node is cut.</summary>
internal sealed class HolderTerm : IDisposable
{
    private readonly CancellationTokenSource _ended = new();

    public HolderTerm(IPAddress node)
    {
        Node = node;
        Ended = _ended.Token;
    }

    public IPAddress Node { get; }

    public CancellationToken Ended { get; }

    public void End() => _ended.Cancel();

    public void Dispose() => _ended.Dispose();
}
