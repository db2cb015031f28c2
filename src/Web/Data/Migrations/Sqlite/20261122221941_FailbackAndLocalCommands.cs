using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace FailoverHub.Web.Data.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class FailbackAndLocalCommands : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "Failback",
                table: "Pairs",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "Failback",
                table: "Intents",
                type: "TEXT",
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<bool>(
                name: "LiftLocalDrain",
                table: "Intents",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<long>(
                name: "HappenedAtMs",
                table: "Audit",
                type: "INTEGER",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "Failback",
                table: "Pairs");

            migrationBuilder.DropColumn(
                name: "Failback",
                table: "Intents");

            migrationBuilder.DropColumn(
                name: "LiftLocalDrain",
                table: "Intents");

            migrationBuilder.DropColumn(
                name: "HappenedAtMs",
                table: "Audit");
        }
    }
}
