using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace FailoverHub.Web.Data.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Operations : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "ApprovalEndsMs",
                table: "Operations",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "ApprovedBy",
                table: "Operations",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "RequestJson",
                table: "Operations",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "ScheduledForMs",
                table: "Operations",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "WindowEndsMs",
                table: "Operations",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "OnReturn",
                table: "Intents",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.CreateTable(
                name: "Freezes",
                columns: table => new
                {
                    Scope = table.Column<string>(type: "TEXT", nullable: false),
                    UntilMs = table.Column<long>(type: "INTEGER", nullable: false),
                    Actor = table.Column<string>(type: "TEXT", nullable: false),
                    Reason = table.Column<string>(type: "TEXT", nullable: false),
                    OperationId = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Freezes", x => x.Scope);
                });

            migrationBuilder.CreateTable(
                name: "HeldFailbacks",
                columns: table => new
                {
                    Node = table.Column<string>(type: "TEXT", nullable: false),
                    Failback = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_HeldFailbacks", x => x.Node);
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "Freezes");

            migrationBuilder.DropTable(
                name: "HeldFailbacks");

            migrationBuilder.DropColumn(
                name: "ApprovalEndsMs",
                table: "Operations");

            migrationBuilder.DropColumn(
                name: "ApprovedBy",
                table: "Operations");

            migrationBuilder.DropColumn(
                name: "RequestJson",
                table: "Operations");

            migrationBuilder.DropColumn(
                name: "ScheduledForMs",
                table: "Operations");

            migrationBuilder.DropColumn(
                name: "WindowEndsMs",
                table: "Operations");

            migrationBuilder.DropColumn(
                name: "OnReturn",
                table: "Intents");
        }
    }
}
