using System.Text;

namespace FailoverHub.Agent.Checks.Commands;

/// <summary>The last <see cref="Printable.Longest"/> bytes of what a command wrote, however much that was.</summary>
internal sealed class OutputTail
{
    private readonly byte[] _kept = new byte[Printable.Longest];
    private int _length;

    public void Add(ReadOnlySpan<byte> written)
    {
        if (written.Length >= _kept.Length)
        {
            written[^_kept.Length..].CopyTo(_kept);
            _length = _kept.Length;
            return;
        }

        var stays = Math.Min(_length, _kept.Length - written.Length);
        _kept.AsSpan(_length - stays, stays).CopyTo(_kept);
        written.CopyTo(_kept.AsSpan(stays));
        _length = stays + written.Length;
    }

    /// <summary>Harmless to show.</summary>
    public override string ToString() => Printable.Of(Encoding.UTF8.GetString(_kept, 0, _length));
}
