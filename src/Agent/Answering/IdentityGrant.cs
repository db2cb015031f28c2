namespace FailoverHub.Agent.Answering;

/// <summary>With what this node answers its hub's identity requests, as the hub has given it over its stream. In memory only.</summary>
internal sealed class IdentityGrant
{
    /// <summary>Octets of either key.</summary>
    public const int KeySize = 32;

    private IdentityGrant(string label, byte[] answerKey, byte[] askKey) => (Label, AnswerKey, AskKey) = (label, answerKey, askKey);

    /// <summary>By what the hub knows the node: 1 to 63 of the characters of a name.</summary>
    public string Label { get; }

    /// <summary>This node's own.</summary>
    public byte[] AnswerKey { get; }

    /// <summary>The same for every node of the hub: whoever has it may ask.</summary>
    public byte[] AskKey { get; }

    /// <summary>Null: that is no grant, and nothing is answered by it.</summary>
    public static IdentityGrant? Of(string label, ReadOnlySpan<byte> answerKey, ReadOnlySpan<byte> askKey) =>
        Identity.NodeName.IsValid(label) && answerKey.Length == KeySize && askKey.Length == KeySize ? new IdentityGrant(label, answerKey.ToArray(), askKey.ToArray()) : null;

    /// <summary>Gives the same answers to the same requests.</summary>
    public bool IsAs(IdentityGrant other) => Label == other.Label && AnswerKey.AsSpan().SequenceEqual(other.AnswerKey) && AskKey.AsSpan().SequenceEqual(other.AskKey);

    /// <summary>Never a key.</summary>
    public override string ToString() => Label;
}
