using System.Security.Cryptography;
using System.Text;
using FailoverHub.Web.Identity;

namespace FailoverHub.Web.Reachability.Answering;

/// <summary>What a node is given to answer with.</summary>
/// <param name="Label">What its answers carry.</param>
/// <param name="AnswerKey">Its own, 32 octets.</param>
/// <param name="AskKey">By which it knows the hub's questions, 32 octets.</param>
internal sealed record NodeGrant(string Label, byte[] AnswerKey, byte[] AskKey);

/// <summary>
/// The keys of the identity requests, computed from the key of the hub's authority: nothing of them is stored, and a hub that has been started anew knows every node's
/// again before that node has connected. No node can compute another's.
/// </summary>
/// <param name="hub">The authority, which must be open by the first use.</param>
internal sealed class IdentityKeys(HubIdentity hub)
{
    /// <summary>Of an agent: it answers who it is, when it is given the keys. Only nodes that have joined are: what others call themselves proves nothing.</summary>
    public const string Capability = "identity";

    private readonly Lock _gate = new();
    private (HubAuthority Of, byte[] Ask, byte[] Root)? _keys;

    /// <summary>Requests are signed with it. 32 octets.</summary>
    public byte[] Ask => Keys.Ask;

    /// <summary>The answers of one node are signed with it. 32 octets.</summary>
    /// <param name="label">By what the hub knows the node.</param>
    public byte[] AnswerOf(string label) => HMACSHA256.HashData(Keys.Root, Encoding.ASCII.GetBytes(label));

    /// <summary>For the stream of a node.</summary>
    /// <param name="label">Its id.</param>
    public NodeGrant GrantTo(string label) => new(label, AnswerOf(label), Ask);

    private (HubAuthority Of, byte[] Ask, byte[] Root) Keys
    {
        get
        {
            var authority = hub.Authority;
            lock (_gate)
            {
                if (_keys is not { } known || !ReferenceEquals(known.Of, authority))
                {
                    _keys = known = (authority, authority.DeriveKey("failoverhub identity: ask, 1"), authority.DeriveKey("failoverhub identity: answer, 1"));
                }

                return known;
            }
        }
    }
}
